#include "device_server/measure/trial_runner.h"

#include <algorithm>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "device_server/measure/sampling_policy.h"
#include "device_server/measure/trial_check.h"

namespace tunefleet::device {
namespace {

constexpr size_t kMaxDetail = 512;

absl::Time Now() { return common::MonotonicClock().Now(); }

void ToProto(absl::Duration duration, google::protobuf::Duration* proto) {
  proto->set_seconds(absl::ToInt64Seconds(duration));
  proto->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration % absl::Seconds(1))));
}

void StampNow(google::protobuf::Timestamp* proto) {
  const int64_t ns = absl::ToUnixNanos(absl::Now());
  proto->set_seconds(ns / 1'000'000'000);
  proto->set_nanos(static_cast<int32_t>(ns % 1'000'000'000));
}

// One kernel and the policy that decides how often it runs.
struct Contestant {
  Contestant(const KernelSession::Environment& environment, const v1::Kernel& kernel, const v1::MeasureOptions& options)
      : session(environment, kernel, options), policy(options) {}
  KernelSession session;
  SamplingPolicy policy;
};

std::optional<Failure> TakeSample(Contestant* contestant, uint32_t runs) {
  const absl::Duration expected = contestant->policy.Estimate() * runs;
  absl::Duration total;
  if (auto failure = contestant->session.Sample(runs, expected, &total)) return failure;
  contestant->policy.Add(total, runs);
  return std::nullopt;
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
  TF_ASSIGN_OR_RETURN(runner->zygote_, Zygote::Start(runner->options_.program));
  TF_RETURN_IF_ERROR(runner->Probe());
  return runner;
}

absl::Status TrialRunner::Probe() {
  TF_ASSIGN_OR_RETURN(const UniqueFd code, MakeCodeFile({}));
  const v1::ArtifactManifest manifest;
  WorkerHandle worker(zygote_.get(), manifest);
  WorkerSpec spec;
  spec.memory_limit_bytes = uint64_t{64} << 20;
  spec.cpu_seconds = 1;
  if (auto failure = worker.Start(spec, code.get(), {})) return absl::UnavailableError(failure->detail);
  sandbox_ = worker.sandbox();
  return absl::OkStatus();
}

v1::TrialResult TrialRunner::Run(const Call& call) {
  const absl::Time begin = Now();
  v1::TrialResult result;
  PhaseTimes times;
  const v1::MeasureOptions measure = WithDefaults(call.trial.options());
  if (const auto failure = Measure(call, measure, &times, &result)) {
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
  ToProto(times.load, result.mutable_load_time());
  ToProto(times.prepare, result.mutable_prepare_time());
  ToProto(times.run, result.mutable_run_time());
  ToProto(times.verify, result.mutable_verify_time());
  ToProto(Now() - begin, result.mutable_device_time());
  StampNow(result.mutable_finished_at());
  return result;
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
  KernelSession::Environment environment{.zygote = zygote_.get(),
                                         .fills = &fills_,
                                         .blobs = &call.blobs,
                                         .cores = options_.cores,
                                         .deadline = Now() + call.time_limit,
                                         .times = times};
  environment.cores.resize(measure.threads());
  const bool single = call.trial.kernels_size() == 1;
  std::vector<std::unique_ptr<Contestant>> contestants;
  const auto fail = [&](size_t index, Failure failure) {
    if (!single) failure.detail = absl::StrCat("kernel ", index, ": ", failure.detail);
    return failure;
  };
  const auto report = [&] {
    for (const auto& contestant : contestants) {
      v1::KernelResult* const kernel = result->add_kernels();
      contestant->session.Report(kernel);
      contestant->policy.Report(kernel);
    }
  };
  for (const v1::Kernel& kernel : call.trial.kernels()) {
    contestants.push_back(std::make_unique<Contestant>(environment, kernel, measure));
    if (auto failure = contestants.back()->session.Open()) {
      report();
      return fail(contestants.size() - 1, *std::move(failure));
    }
  }
  // Round by round, so that kernels of one trial see the same weather.
  for (bool more = true; more;) {
    more = false;
    for (size_t i = 0; i < contestants.size(); ++i) {
      const std::optional<uint32_t> runs = contestants[i]->policy.NextRuns();
      if (!runs) continue;
      if (call.cancelled && call.cancelled()) return Failure{v1::OUTCOME_CANCELLED, "the lease was revoked"};
      if (auto failure = TakeSample(contestants[i].get(), *runs)) {
        report();
        return fail(i, *std::move(failure));
      }
      more = true;
    }
  }
  std::optional<Failure> wrong;
  for (size_t i = 0; i < contestants.size(); ++i) {
    if (auto failure = contestants[i]->session.VerifyOutputs(); failure && !wrong) wrong = fail(i, *std::move(failure));
  }
  report();
  return wrong;
}

}  // namespace tunefleet::device
