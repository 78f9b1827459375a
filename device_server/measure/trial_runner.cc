#include "device_server/measure/trial_runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/clock.h"
#include "common/proto_time.h"
#include "common/reference_time.h"
#include "common/status_macros.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/measure/sampling_policy.h"
#include "device_server/measure/trial_check.h"
#include "device_server/measure/trial_policy.h"
#include "device_server/worker/sentinel.h"

namespace tunefleet::device {
namespace {

constexpr size_t kMaxDetail = 512;
constexpr int kFirstReadings = 9;  // of the sentinel, when the agent starts

absl::Time Now() { return common::MonotonicClock().Now(); }

// What the machine did to the trial: completes telemetry, sentinel and the kernels' quality.
void AddConditions(const DriftTracker& drift, absl::Duration run_time, v1::TrialResult* result) {
  v1::Telemetry& telemetry = *result->mutable_telemetry();
  v1::Sentinel& sentinel = *result->mutable_sentinel();
  if (const double mhz = SentinelMhz(sentinel.before_ns()); !telemetry.has_clock_mhz() && mhz > 0) {
    telemetry.set_clock_mhz(mhz);
  }
  uint64_t preemptions = 0;
  std::vector<uint64_t> readings = {sentinel.before_ns(), sentinel.after_ns()};
  for (const v1::KernelResult& kernel : result->kernels()) {
    for (const v1::Sample& sample : kernel.samples()) {
      preemptions += sample.preemptions();
      readings.push_back(sample.sentinel_ns());
    }
  }
  telemetry.set_preemptions(preemptions);
  const DriftTracker::Judgement judgement = drift.Judge(std::move(readings));
  sentinel.set_baseline_ns(drift.baseline_ns());
  sentinel.set_speed(judgement.speed);
  std::vector<v1::QualityReason> reasons = ReasonsFromTelemetry(telemetry, run_time);
  if (judgement.flagged) reasons.push_back(v1::QUALITY_REASON_CLOCK_DRIFTED);
  for (v1::KernelResult& kernel : *result->mutable_kernels()) {
    if (kernel.samples().empty() || reasons.empty()) continue;
    for (const v1::QualityReason reason : reasons) {
      const auto& known = kernel.quality_reasons();
      if (std::find(known.begin(), known.end(), reason) == known.end()) kernel.add_quality_reasons(reason);
    }
    kernel.set_quality(v1::QUALITY_NOISY);
  }
}

// What of the trial's time is for references alone.
absl::Duration ReferenceTime(const TrialRunner::Call& call) {
  const bool any = std::any_of(call.trial.kernels().begin(), call.trial.kernels().end(),
                               [](const v1::Kernel& kernel) { return kernel.has_reference(); });
  // A tracker that knows no allowance gave none.
  return any ? std::min(common::kReferenceAllowance, call.time_limit / 2) : absl::ZeroDuration();
}

absl::StatusOr<std::unique_ptr<WorkerGroup>> GroupForWorkers(const std::string& device_id) {
  std::ifstream file("/proc/self/cgroup");
  const std::string group = UnifiedGroup(std::string(std::istreambuf_iterator<char>(file), {}));
  if (group.empty()) return absl::UnavailableError("this process is in no group of the unified hierarchy");
  return WorkerGroup::Create(absl::StrCat("/sys/fs/cgroup", group == "/" ? "" : group), device_id);
}

}  // namespace

std::string OneLine(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~') c = '?';
  }
  if (text.size() > kMaxDetail) text.resize(kMaxDetail);
  return text;
}

absl::StatusOr<std::unique_ptr<TrialRunner>> TrialRunner::Create(Options options) {
  auto runner = absl::WrapUnique(new TrialRunner(std::move(options)));
  if (!runner->options_.turns_file.empty()) {
    TF_ASSIGN_OR_RETURN(runner->turns_, common::Turns::Open(runner->options_.turns_file));
  }
  absl::StatusOr<std::unique_ptr<WorkerGroup>> group = GroupForWorkers(runner->options_.device_id);
  if (!group.ok()) spdlog::debug("no control group for workers: {}", std::string(group.status().message()));
  TF_ASSIGN_OR_RETURN(runner->zygote_, Zygote::Start(runner->options_.program, runner->options_.emulator,
                                                     group.ok() ? *std::move(group) : nullptr));
  runner->workers_.emplace(runner->zygote_.get(), runner->options_.worker_lifetime);
  TF_RETURN_IF_ERROR(runner->Probe());
  return runner;
}

TrialRunner::TrialRunner(Options options)
    : options_(std::move(options)),
      usable_cores_(UsableCores().size()),
      telemetry_("", options_.cores),
      memory_(options_.meminfo),
      fills_(options_.fill_cache_bytes),
      references_(options_.fill_cache_bytes) {}

bool TrialRunner::LeavesACore(uint32_t threads) const { return threads < usable_cores_; }

absl::Status TrialRunner::Probe() {
  WorkerHandle worker(zygote_.get());
  WorkerSpec spec;
  spec.real_time = LeavesACore(1) ? 1 : 0;
  spec.num_cores = options_.cores.empty() ? 0 : 1;
  std::copy_n(options_.cores.begin(), spec.num_cores, spec.cores);
  if (auto failure = worker.Start(spec)) return absl::UnavailableError(failure->detail);
  if (sandbox_ == 0) {  // the first: what it has is what the machine gives
    sandbox_ = worker.sandbox();
    zygote_->RequireSandbox(sandbox_);
  }
  scheduling_ = worker.scheduling();
  for (int i = 0; i < kFirstReadings; ++i) {
    const WorkerHandle::Reply reading = worker.RunSentinel();
    if (reading.failure) return absl::UnavailableError(reading.failure->detail);
    drift_.Learn(static_cast<uint64_t>(absl::ToInt64Nanoseconds(reading.elapsed)));
  }
  return absl::OkStatus();
}

void TrialRunner::End() {
  workers_->Clear();
  zygote_->End();
}

v1::TrialResult TrialRunner::Run(const Call& call) {
  const absl::Time begin = Now();
  v1::TrialResult result;
  PhaseTimes times;
  const v1::MeasureOptions measure = WithDefaults(call.trial.options());
  std::optional<Failure> failure = Measure(call, measure, &times, &result);
  const absl::Duration left = call.time_limit - (Now() - begin);
  // In half the time and more the second try comes to an end like the first.
  if (failure && DeservesANewWorker(failure->outcome, failure->earlier_kernels) && left >= call.time_limit / 2) {
    const Failure first = *std::exchange(failure, std::nullopt);
    workers_->Clear();
    times = {};
    result.Clear();
    failure = Measure({call.trial, call.blobs, left, call.cancelled}, measure, &times, &result);
    if (failure) {
      absl::StrAppend(&failure->detail, "; before, in a worker that had had ", first.earlier_kernels,
                      " kernels: ", first.detail);
    }
  }
  if (failure) {
    result.set_outcome(failure->outcome);
    result.set_detail(OneLine(failure->detail));
  } else {
    result.set_outcome(v1::OUTCOME_OK);
  }
  result.set_trial_id(call.trial.trial_id());
  result.set_device_id(options_.device_id);
  result.set_device_fingerprint(options_.device_fingerprint);
  result.set_agent_version(options_.agent_version);
  *result.mutable_options() = measure;
  *result.mutable_load_time() = common::DurationToProto(times.load);
  *result.mutable_prepare_time() = common::DurationToProto(times.prepare);
  *result.mutable_run_time() = common::DurationToProto(times.run);
  *result.mutable_verify_time() = common::DurationToProto(times.verify);
  *result.mutable_device_time() = common::DurationToProto(Now() - begin);
  *result.mutable_finished_at() = common::TimestampToProto(absl::Now());
  return result;
}

std::optional<Failure> TrialRunner::ComputeReferences(const Call& call, const v1::MeasureOptions& measure,
                                                      const KernelSession::Environment& kernels,
                                                      const std::function<bool()>& cancelled,
                                                      std::vector<KernelSession::References>* references) {
  PhaseTimes not_the_kernels;
  KernelSession::Environment environment = kernels;
  environment.deadline = Now() + ReferenceTime(call);
  environment.times = &not_the_kernels;
  environment.cancelled = cancelled;
  for (const v1::Kernel& kernel : call.trial.kernels()) {
    if (auto failure = references_.Get(environment, kernel, measure, &references->emplace_back())) return failure;
  }
  return std::nullopt;
}

std::optional<Failure> TrialRunner::Measure(const Call& call, const v1::MeasureOptions& measure, PhaseTimes* times,
                                            v1::TrialResult* result) {
  // The client's doing: it must not count as a fault of the device, which would be quarantined for it.
  if (const absl::Status status = CheckTrial(call.trial); !status.ok()) {
    return Failure{v1::OUTCOME_REFUSED, absl::StrCat("the trial is malformed: ", status.message())};
  }
  if (measure.threads() > options_.cores.size()) {
    return Failure{v1::OUTCOME_REFUSED, absl::StrCat(measure.threads(), " threads are asked for, the device offers ",
                                                     options_.cores.size())};
  }
  KernelSession::Environment environment{.workers = &*workers_,
                                         .fills = &fills_,
                                         .memory = &memory_,
                                         .blobs = &call.blobs,
                                         .cores = options_.cores,
                                         .real_time = LeavesACore(measure.threads()),
                                         .usual_units = usual_units_.Band(),
                                         .private_cache_bytes = options_.private_cache_bytes,
                                         .last_cache_bytes = options_.last_cache_bytes,
                                         .deadline = Now(),
                                         .times = times};
  environment.cores.resize(measure.threads());
  const auto cancelled = [&call] { return call.cancelled && call.cancelled(); };
  std::vector<KernelSession::References> references;
  if (auto failure = ComputeReferences(call, measure, environment, cancelled, &references)) return failure;
  environment.deadline = Now() + call.time_limit - ReferenceTime(call);
  const TelemetrySnapshot before = telemetry_.Read();
  TrialPolicy policy(measure, static_cast<size_t>(call.trial.kernels_size()), drift_.baseline_ns(),
                     environment.usual_units);
  std::vector<std::unique_ptr<KernelSession>> sessions;
  uint64_t sentinel_after_ns = 0;
  const auto report = [&] {
    for (size_t i = 0; i < sessions.size(); ++i) {
      v1::KernelResult* const kernel = result->add_kernels();
      sessions[i]->Report(kernel);
      policy.Report(i, kernel);
      if (!options_.emulator.empty()) {
        kernel->set_quality(v1::QUALITY_NOISY);
        kernel->add_quality_reasons(v1::QUALITY_REASON_EMULATED);
      }
    }
    *result->mutable_telemetry() = telemetry_.Since(before);
    for (const uint16_t core : environment.cores) result->mutable_telemetry()->add_cores(core);
    result->mutable_telemetry()->set_scheduling(SchedulingName(sessions.front()->scheduling()));
    result->mutable_sentinel()->set_before_ns(sessions.front()->sentinel_before_ns());
    result->mutable_sentinel()->set_after_ns(sentinel_after_ns);
    AddConditions(drift_, times->run, result);
  };
  const auto fail = [&](size_t index, Failure failure) {
    report();
    failure.earlier_kernels = sessions[index]->earlier_kernels();
    if (sessions.size() > 1 || call.trial.kernels_size() > 1) {
      failure.detail = absl::StrCat("kernel ", index, ": ", failure.detail);
    }
    return failure;
  };
  for (const v1::Kernel& kernel : call.trial.kernels()) {
    environment.references = &references[sessions.size()];
    sessions.push_back(std::make_unique<KernelSession>(environment, kernel, measure));
    if (auto failure = sessions.back()->Open()) return fail(sessions.size() - 1, *std::move(failure));
  }
  std::optional<common::Turn> turn;
  if (turns_) {
    absl::StatusOr<common::Turn> taken = turns_->Time([&] { return cancelled() || Now() > environment.deadline; });
    if (taken.ok()) {
      turn = *std::move(taken);
    } else if (!cancelled()) {
      return fail(0, {v1::OUTCOME_DEVICE_ERROR, std::string(taken.status().message())});
    }
  }
  const absl::Time first = Now();
  while (const std::optional<TrialPolicy::Step> step = policy.Next(random_)) {
    if (cancelled()) return Failure{v1::OUTCOME_CANCELLED, "the lease was revoked"};
    if (step->warm_up) {
      if (auto failure = sessions[step->kernel]->WarmUp()) return fail(step->kernel, *std::move(failure));
    }
    v1::Sample sample;
    sample.set_begin_ns(static_cast<uint64_t>(absl::ToInt64Nanoseconds(Now() - first)));
    if (auto failure = sessions[step->kernel]->Sample(step->runs, step->expected, &sample)) {
      return fail(step->kernel, *std::move(failure));
    }
    usual_units_.Learn(sample.units_ns());
    policy.Add(*step, sample);
  }
  turn.reset();
  for (size_t i = 0; i < sessions.size(); ++i) {
    if (auto failure = sessions[i]->VerifyOutputs(policy.censored(i))) return fail(i, *std::move(failure));
  }
  if (auto failure = sessions.front()->RunSentinel(&sentinel_after_ns)) return fail(0, *std::move(failure));
  report();
  for (const auto& session : sessions) session->Close();
  return std::nullopt;
}

}  // namespace tunefleet::device
