// `tunefleet measure`: times one shipped kernel by hand, or two side by side, as the fleet times candidates.
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"
#include "common/temporary_folder.h"
#include "tuner/commands/command_line.h"
#include "tuner/commands/core_plan.h"
#include "tuner/commands/device_choice.h"
#include "tuner/commands/flags.h"
#include "tuner/commands/json.h"
#include "tuner/commands/kernel_description.h"
#include "tuner/commands/text.h"
#include "tuner/pipeline/make_trial.h"
#include "tuner/pipeline/reference_kernel.h"

namespace tunefleet::tuner {
namespace {

constexpr uint64_t kInputSeed = 1;
constexpr uint32_t kMostSamples = 250;
constexpr absl::Duration kGlance = absl::Milliseconds(200);

struct Flags {
  std::string file;
  std::string against;
  std::string tracker;
  std::string device_class;
  std::string cache = "warm";
  int64_t samples = 0;
  int64_t seconds = 1;
  bool verify = true;
  bool json = false;
};

std::string ShortName(absl::string_view name, absl::string_view prefix) {
  return std::string(absl::StripPrefix(name, prefix));
}

std::string KernelJson(const std::string& file, const v1::KernelResult& kernel) {
  std::vector<std::string> reasons, samples;
  for (const int reason : kernel.quality_reasons()) {
    reasons.push_back(JsonString(ShortName(v1::QualityReason_Name(reason), "QUALITY_REASON_")));
  }
  for (const v1::Sample& sample : kernel.samples()) {
    samples.push_back(absl::StrFormat("%.1f", static_cast<double>(sample.total_ns()) / sample.runs()));
  }
  JsonObject object;
  object.Text("file", file)
      .Integer("latency_ns", static_cast<int64_t>(kernel.latency_ns()))
      .Text("quality", kernel.quality() == v1::QUALITY_GOOD ? "good" : "noisy")
      .Raw("quality_reasons", JsonArray(reasons))
      .Number("clock_correction", kernel.clock_correction())
      .Number("max_error", kernel.max_error())
      .Raw("samples_ns", JsonArray(samples));
  if (kernel.has_comparison()) {
    const v1::Comparison& comparison = kernel.comparison();
    object.Text("verdict", ShortName(v1::Verdict_Name(comparison.verdict()), "VERDICT_"))
        .Number("ratio", comparison.ratio())
        .Number("ratio_low", comparison.ratio_low())
        .Number("ratio_high", comparison.ratio_high())
        .Integer("pairs", comparison.pairs());
  }
  return object.Print();
}

std::string KernelText(const std::string& file, const v1::KernelResult& kernel, const TuningTask& task, bool verified) {
  const auto latency_ns = static_cast<double>(kernel.latency_ns());
  std::string text = absl::StrFormat("%s: %s, %.1f %s, %d samples, %s", file, LatencyText(latency_ns),
                                     task.flops / latency_ns, RateUnit(task.identity.workload), kernel.samples_size(),
                                     kernel.quality() == v1::QUALITY_GOOD ? "good" : "noisy:");
  for (const int reason : kernel.quality_reasons()) {
    absl::StrAppend(&text, " ", ShortName(v1::QualityReason_Name(reason), "QUALITY_REASON_"));
  }
  absl::StrAppend(&text, verified ? ", outputs verified\n" : ", outputs not verified\n");
  if (kernel.has_comparison()) {
    const v1::Comparison& comparison = kernel.comparison();
    absl::StrAppendFormat(&text, "  against the first: %s, %.4f times its time (%.4f to %.4f, %d pairs)\n",
                          ShortName(v1::Verdict_Name(comparison.verdict()), "VERDICT_"), comparison.ratio(),
                          comparison.ratio_low(), comparison.ratio_high(), comparison.pairs());
  }
  return text;
}

class MeasureRun {
 public:
  MeasureRun(const Flags& flags, const CommandContext& context) : flags_(flags), context_(context) {}

  absl::StatusOr<int> Run() {
    if (flags_.file.empty())
      return absl::InvalidArgumentError("measure: which FILE.so? e.g. tunefleet measure conv.so");
    for (const std::string& file : {flags_.file, flags_.against}) {
      if (file.empty()) continue;
      TF_ASSIGN_OR_RETURN(KernelOnDisk kernel, ReadKernel(file));
      files_.push_back(file);
      kernels_.push_back(std::move(kernel));
    }
    const v1::KernelFile& first = kernels_.front().description;
    if (kernels_.back().description.workload().SerializeAsString() != first.workload().SerializeAsString()) {
      return absl::InvalidArgumentError(
          absl::StrCat(files_.front(), " and ", files_.back(), " compute different operators or layouts"));
    }
    TF_RETURN_IF_ERROR(Open(first.target()));
    TF_ASSIGN_OR_RETURN(TuningTask task,
                        MakeTuningTask(files_.front(), first.workload(), first.target(), device_class_, kInputSeed));
    if (task.reference.outputs.empty()) {
      TF_ASSIGN_OR_RETURN(const std::unique_ptr<Builder> builder, context_.parts->start_builders(1, {}, ""));
      const auto no_turn = [this]() -> absl::StatusOr<std::optional<common::Turn>> {
        if (context_.stop.stop_requested()) return absl::CancelledError("measure: stopped");
        return std::nullopt;
      };
      TF_RETURN_IF_ERROR(BuildReferenceKernel(*builder, no_turn, &task));
    }
    TF_ASSIGN_OR_RETURN(const std::optional<v1::TrialResult> result, Measure(task));
    if (!result.has_value()) return kExitInterrupted;
    Report(task, *result);
    return result->outcome() == v1::OUTCOME_OK ? kExitOk : kExitFailed;
  }

 private:
  absl::Status Open(const v1::Target& target) {
    const int threads = std::max(1, target.threads());
    std::string address = flags_.tracker;
    if (address.empty()) {
      const std::vector<int> allowed = AllowedCores();
      TF_ASSIGN_OR_RETURN(const CorePlan plan, PlanCores(allowed, CoreSiblings(allowed), threads));
      StayOnCores(plan.others);
      EmbeddedFleetOptions options;
      TF_ASSIGN_OR_RETURN(scratch_, common::TemporaryFolder::Make(std::filesystem::temp_directory_path().string(),
                                                                  "tunefleet-measure-"));
      options.records = scratch_->path() + "/measure";
      options.new_records = true;
      options.device_cores = plan.device;
      options.agent_cores = allowed;
      TF_ASSIGN_OR_RETURN(fleet_, context_.parts->start_fleet(std::move(options), context_.stop));
      address = fleet_->address();
    }
    TF_ASSIGN_OR_RETURN(const v1::ListDevicesResponse devices, context_.parts->list_devices(address));
    TF_ASSIGN_OR_RETURN(const DeviceChoice device, ChooseDevice(devices, flags_.device_class, target, threads));
    device_class_ = device.device_class;
    absl::BitGen random;
    TrackerRunnerOptions options;
    options.address = address;
    options.job_id = absl::StrFormat("measure-%016x", absl::Uniform<uint64_t>(random));
    options.labels = {{"workload", files_.front()}};
    options.device_class = device_class_;
    options.first_patience = absl::Seconds(30);
    job_id_ = options.job_id;
    TF_ASSIGN_OR_RETURN(runner_, context_.parts->connect_runner(options));
    return absl::OkStatus();
  }

  v1::MeasureOptions Options() const {
    v1::MeasureOptions options;
    options.set_cache_mode(CacheModeOf(flags_.cache));
    options.mutable_run_budget()->set_seconds(flags_.seconds);
    if (flags_.samples > 0) {
      options.set_min_samples(static_cast<uint32_t>(flags_.samples));
      options.set_max_samples(static_cast<uint32_t>(flags_.samples));
    } else {
      options.set_max_samples(kMostSamples);
    }
    return options;
  }

  // Nullopt when it was stopped.
  absl::StatusOr<std::optional<v1::TrialResult>> Measure(const TuningTask& task) {
    std::vector<BuiltCandidate> built;
    for (const KernelOnDisk& kernel : kernels_) {
      TF_RETURN_IF_ERROR(runner_->Provide(kernel.description.manifest().code_digest(), kernel.code));
      built.emplace_back().manifest = kernel.description.manifest();
      built.back().schedule.set_implementation(kernel.description.implementation());
    }
    TF_RETURN_IF_ERROR(ProvideReference(task, *runner_));
    TF_ASSIGN_OR_RETURN(v1::Trial trial, MakeTrial(task, absl::StrCat(job_id_, ".1"), built, Options()));
    if (!flags_.verify) {
      for (v1::Kernel& kernel : *trial.mutable_kernels()) {
        for (v1::OutputCheck& check : *kernel.mutable_checks()) {
          check.set_absolute(std::numeric_limits<double>::infinity());
        }
      }
    }
    TF_RETURN_IF_ERROR(runner_->Submit(trial));
    while (!context_.stop.stop_requested()) {
      TF_ASSIGN_OR_RETURN(const std::optional<FinishedTrial> finished, runner_->Next(kGlance));
      if (!finished.has_value()) continue;
      TF_RETURN_IF_ERROR(runner_->Acknowledge(finished->cursor));
      return finished->result;
    }
    return std::nullopt;
  }

  void Report(const TuningTask& task, const v1::TrialResult& result) const {
    const bool ok = result.outcome() == v1::OUTCOME_OK;
    std::vector<std::string> rows;
    for (int i = 0; ok && i < result.kernels_size(); ++i) {
      rows.push_back(KernelJson(files_[i], result.kernels(i)));
      if (!flags_.json) {
        std::fputs(KernelText(files_[i], result.kernels(i), task, flags_.verify).c_str(), context_.out);
      }
    }
    if (flags_.json) {
      const std::string line = JsonObject()
                                   .Text("outcome", OutcomeName(result.outcome()))
                                   .Text("detail", result.detail())
                                   .Text("op", task.identity.workload_key)
                                   .Text("device", result.device_id())
                                   .Text("device_fingerprint", result.device_fingerprint())
                                   .Text("agent_version", result.agent_version())
                                   .Text("cache", flags_.cache)
                                   .Bool("verified", flags_.verify)
                                   .Text("scheduling", result.telemetry().scheduling())
                                   .Number("clock_mhz", result.telemetry().clock_mhz())
                                   .Raw("kernels", JsonArray(rows))
                                   .Print();
      std::fprintf(context_.out, "%s\n", line.c_str());
    } else if (!ok) {
      std::fprintf(context_.out, "%s: %s: %s\n", files_.front().c_str(), OutcomePhrase(result.outcome()).c_str(),
                   result.detail().c_str());
    }
  }

  const Flags& flags_;
  const CommandContext& context_;
  std::unique_ptr<common::TemporaryFolder> scratch_;  // of a fleet of its own: its state
  std::vector<std::string> files_;
  std::vector<KernelOnDisk> kernels_;
  std::unique_ptr<EmbeddedFleet> fleet_;
  std::unique_ptr<Runner> runner_;
  std::string device_class_;
  std::string job_id_;
};

}  // namespace

int MeasureCommand(const std::vector<std::string>& arguments, const CommandContext& context) {
  Flags flags;
  FlagSet set("measure",
              "tunefleet measure FILE.so: times a kernel that 'tunefleet build' wrote, confined and verified like any "
              "candidate.\n\nWith --against two kernels of one operator are timed side by side, and the verdict is the "
              "second's.",
              "  tunefleet measure conv.so\n"
              "  tunefleet measure old.so --against=new.so --seconds=3\n"
              "  tunefleet measure conv.so --cache=cold --tracker=host:9190 --device=rk3399 --json\n");
  set.Text("against", "FILE.so", "another kernel of the operator, to be compared with the first", &flags.against);
  set.Text("tracker", "ADDRESS", "HOST:PORT or unix:PATH of a tracker (default: this machine measures)",
           &flags.tracker);
  set.Text("device", "CLASS", "class of the devices that may measure", &flags.device_class);
  set.Choice("cache", CacheModeNames(), "what a run finds in the caches", &flags.cache);
  set.Integer("samples", "so many of each kernel (default: until it is known well enough)", 0, kMostSamples,
              &flags.samples);
  set.Integer("seconds", "of running each kernel, at most", 1, 600, &flags.seconds);
  set.Switch("verify", "outputs are held against a reference", &flags.verify);
  set.Switch("json", "a JSON object as the last line", &flags.json);
  if (const absl::Status status = set.Parse(arguments, &flags.file); !status.ok()) return Complain(context, status);
  if (set.help_wanted()) return std::fputs(set.Help().c_str(), context.out), kExitOk;
  const absl::StatusOr<int> exit_status = MeasureRun(flags, context).Run();
  return exit_status.ok() ? *exit_status : Complain(context, exit_status.status());
}

}  // namespace tunefleet::tuner
