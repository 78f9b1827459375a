// `tunefleet tune`: from workloads to tuned kernels, on a fleet or on this machine.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "codegen/operators/workload.h"
#include "common/reserved_cores.h"
#include "common/status_macros.h"
#include "tuner/commands/command_line.h"
#include "tuner/commands/core_plan.h"
#include "tuner/commands/device_choice.h"
#include "tuner/commands/flags.h"
#include "tuner/commands/progress_line.h"
#include "tuner/commands/task_selection.h"
#include "tuner/commands/text.h"
#include "tuner/commands/tune_report.h"
#include "tuner/pipeline/pipeline.h"
#include "tuner/pipeline/reference_kernel.h"

namespace tunefleet::tuner {
namespace {

constexpr uint64_t kInputSeed = 1;  // of the inputs that kernels are verified on: the same in every run
constexpr int kMostBuilders = 8;
constexpr absl::Duration kDeviceWait = absl::Seconds(5);
constexpr absl::Duration kDeviceGlance = absl::Milliseconds(100);

struct Flags {
  std::string workload;
  std::string op;
  int64_t trials = 128;
  std::string records = "tunefleet.db";
  std::string tracker;
  std::string device_class;
  std::string target;
  std::string strategy;
  int64_t seed = 0;
  int64_t threads = 1;
  std::string cache = "warm";
  int64_t builders = 0;
  AutoTvmOptions autotvm;
  int64_t batch = autotvm.batch;
  int64_t chains = autotvm.chains;
  int64_t steps = autotvm.max_steps;
  int64_t host_reference = static_cast<int64_t>(kHostReferenceFlops / 1e9);
  int64_t priority = 0;
  std::string tenant;
  bool json = false;
};

FlagSet Declare(Flags* flags, const Parts& parts) {
  FlagSet set(
      "tune",
      "tunefleet tune: searches for the fastest kernel of an operator, or of every operator of a network, and "
      "keeps all\nthat it measures. The same command again continues where the last run ended.\n\n"
      "Without --tracker it tunes for this machine: a tracker inside the process and a device agent of its own.",
      "  tunefleet tune --workload=resnet18.C6 --trials=256 --records=conv.db\n"
      "  tunefleet tune --workload=resnet18 --tracker=host:9190 --device=rk3399\n"
      "  tunefleet tune --op='conv2d(n=1,h=56,w=56,ci=64,co=64,k=3,s=1,p=1)' --threads=2\n"
      "  tunefleet tune --op='matmul(m=128,n=768,k=3072)' --target='x86_64-linux-gnu -mcpu=znver3'\n");
  flags->strategy = parts.strategies.front();
  set.Text("workload", "NAME", "a named workload (resnet18.C1 ... resnet18.C12, matmul.1024) or a network (resnet18)",
           &flags->workload);
  set.Text("op", "OP", "an operator, e.g. 'conv2d(n=1,h=56,w=56,ci=64,co=64,k=3,s=1,p=1)'", &flags->op);
  set.Integer("trials", "configurations to measure per operator, earlier runs included", 1, 1 << 20, &flags->trials);
  set.Text("records", "FILE", "the record database; made when it is missing", &flags->records);
  set.Text("tracker", "ADDRESS", "HOST:PORT or unix:PATH of a tracker (default: one of its own)", &flags->tracker);
  set.Text("device", "CLASS", "class of the devices that measure", &flags->device_class);
  set.Text("target", "TARGET", "TRIPLE [-mcpu=CPU] [-mattr=+FEATURE,-FEATURE] (default: what the device reports)",
           &flags->target);
  set.Choice("strategy", parts.strategies, "how to search", &flags->strategy);
  set.Integer("threads", "threads of the kernel", 1, 1024, &flags->threads);
  set.Choice("cache", CacheModeNames(),
             "what a run finds in the caches: what the run before left, nothing, or what a pipeline leaves",
             &flags->cache);
  set.Integer("builders", "processes that compile (default: one per core that does not measure)", 1, 256,
              &flags->builders);
  set.Integer("seed", "of the search", 0, int64_t{1} << 62, &flags->seed);
  set.Integer("batch", "candidates that are planned at once", 1, 1 << 16, &flags->batch);
  set.Integer("chains", "parallel annealing chains", 1, 1 << 16, &flags->chains);
  set.Integer("steps", "annealing steps of one plan", 1, 1 << 20, &flags->steps);
  set.Integer("host-reference", "operators of fewer GFLOP have their reference computed here, others on the device", 0,
              1 << 20, &flags->host_reference);
  set.Text("tenant", "NAME", "whom the tracker counts the trials to", &flags->tenant);
  set.Integer("priority", "among the tenant's jobs; higher first", -1000, 1000, &flags->priority);
  set.Switch("json", "a JSON object as the last line", &flags->json);
  return set;
}

// Where trials go, and where this process and its builders may run.
struct Site {
  std::unique_ptr<EmbeddedFleet> fleet;  // null with --tracker
  std::string address;
  DeviceChoice device;
  std::vector<int> builder_cores;
  std::string turns_file;  // where this process, its builders and the device share cores
};

// The tracker's devices. Agents may just be coming back to it, so a tracker without any is asked again for a while.
absl::StatusOr<v1::ListDevicesResponse> AwaitDevices(const std::string& address, const CommandContext& context) {
  const absl::Time end = context.parts->clock->Now() + kDeviceWait;
  for (;;) {
    absl::StatusOr<v1::ListDevicesResponse> devices = context.parts->list_devices(address);
    const auto is_there = [](const v1::DeviceStatus& status) { return status.state() != v1::DEVICE_STATE_LOST; };
    if (!devices.ok() || std::any_of(devices->devices().begin(), devices->devices().end(), is_there) ||
        context.parts->clock->Now() > end || context.stop.stop_requested()) {
      return devices;
    }
    absl::SleepFor(kDeviceGlance);
  }
}

absl::StatusOr<Site> OpenSite(const Flags& flags, const std::optional<v1::Target>& wanted, bool new_records,
                              const CommandContext& context) {
  Site site;
  if (flags.tracker.empty()) {
    const std::vector<int> allowed = AllowedCores();
    TF_ASSIGN_OR_RETURN(const CorePlan plan,
                        PlanCores(allowed, CoreSiblings(allowed), static_cast<int>(flags.threads)));
    StayOnCores(plan.others);
    site.builder_cores = plan.others;
    EmbeddedFleetOptions options;
    options.records = flags.records;
    options.new_records = new_records;
    options.device_cores = plan.device;
    options.agent_cores = allowed;
    options.take_turns = plan.shared;
    TF_ASSIGN_OR_RETURN(site.fleet, context.parts->start_fleet(std::move(options), context.stop));
    site.address = site.fleet->address();
    site.turns_file = site.fleet->turns_file();
  } else {
    site.address = flags.tracker;
    const std::vector<int> allowed = AllowedCores();
    site.builder_cores = CoresBeside(allowed, CoreSiblings(allowed), common::CoresOfAgents());
    StayOnCores(site.builder_cores);
  }
  TF_ASSIGN_OR_RETURN(const v1::ListDevicesResponse devices, AwaitDevices(site.address, context));
  TF_ASSIGN_OR_RETURN(site.device, ChooseDevice(devices, flags.device_class, wanted, static_cast<int>(flags.threads)));
  return site;
}

class TuneRun {
 public:
  TuneRun(const Flags& flags, const CommandContext& context)
      : flags_(flags), context_(context), parts_(*context.parts), start_(parts_.clock->Now()) {}

  absl::StatusOr<int> Run();

 private:
  absl::StatusOr<TuneSummary> TuneOne(const codegen::NamedWorkload& named, ProgressPrinter& printer, TuningTask* task);

  const Flags& flags_;
  const CommandContext& context_;
  const Parts& parts_;
  const absl::Time start_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Builder> builder_;
  Site site_;
};

absl::StatusOr<TuneSummary> TuneRun::TuneOne(const codegen::NamedWorkload& named, ProgressPrinter& printer,
                                             TuningTask* task) {
  printer.Begin(named.name, RateUnit(named.workload));
  TuneOptions options;
  if (!site_.turns_file.empty()) {
    TF_ASSIGN_OR_RETURN(options.turns, common::Turns::Open(site_.turns_file));
  }
  const auto take_turn = [&]() -> absl::StatusOr<std::optional<common::Turn>> {
    const auto stopped = [this] { return context_.stop.stop_requested(); };
    if (stopped()) return absl::CancelledError("stopped");
    if (!options.turns.has_value()) return std::nullopt;
    TF_ASSIGN_OR_RETURN(common::Turn turn, options.turns->Work(stopped));
    return std::optional<common::Turn>(std::move(turn));
  };
  {
    // Without one it goes on all the same: Tune itself ends a run that was stopped.
    const absl::StatusOr<std::optional<common::Turn>> turn = take_turn();
    TF_ASSIGN_OR_RETURN(
        *task, MakeTuningTask(named.name, named.workload, site_.device.target, site_.device.device_class, kInputSeed,
                              1e9 * static_cast<double>(flags_.host_reference)));
    task->identity.cache_mode = CacheModeOf(flags_.cache);
  }
  TF_RETURN_IF_ERROR(BuildReferenceKernel(*builder_, take_turn, task));
  TF_ASSIGN_OR_RETURN(const Job job, database_->OpenJob(task->identity));
  TrackerRunnerOptions runner_options;
  runner_options.address = site_.address;
  runner_options.job_id = job.job_id;
  runner_options.tenant = flags_.tenant;
  runner_options.priority = static_cast<int>(flags_.priority);
  runner_options.labels = {{"workload", named.name}};
  runner_options.device_class = site_.device.device_class;
  runner_options.first_patience = runner_options.patience;  // the tracker has answered before
  TF_ASSIGN_OR_RETURN(const std::unique_ptr<Runner> runner, parts_.connect_runner(runner_options));

  AutoTvmOptions search = flags_.autotvm;
  search.batch = static_cast<int>(flags_.batch);
  search.chains = static_cast<int>(flags_.chains);
  search.max_steps = static_cast<int>(flags_.steps);
  search.seed = static_cast<uint64_t>(flags_.seed);
  const std::unique_ptr<SearchStrategy> strategy = parts_.make_strategy(flags_.strategy, task->SpacePointers(), search);
  options.trials = static_cast<int>(flags_.trials);
  options.strategy = flags_.strategy;
  options.seed = search.seed;
  return Tune(*task, options, *strategy, *builder_, *runner, *database_, printer, *parts_.clock, context_.stop);
}

absl::StatusOr<int> TuneRun::Run() {
  TF_ASSIGN_OR_RETURN(const std::vector<codegen::NamedWorkload> workloads, WorkloadsOf(flags_.workload, flags_.op));
  if (workloads.empty()) {
    return absl::InvalidArgumentError(
        "tune: nothing to tune; expected --workload=NAME, e.g. resnet18.C6, or "
        "--op='conv2d(n=1,h=56,w=56,ci=64,co=64,k=3,p=1)'");
  }
  std::optional<v1::Target> wanted;
  if (!flags_.target.empty()) {
    TF_ASSIGN_OR_RETURN(wanted, parts_.parse_target(flags_.target));
  }
  const bool new_records = !std::filesystem::exists(flags_.records);
  TF_ASSIGN_OR_RETURN(database_, parts_.open_database(flags_.records, DatabaseAccess::kTune));
  absl::StatusOr<Site> site = OpenSite(flags_, wanted, new_records, context_);
  if (!site.ok()) {
    // Nothing was tuned: records that were made just now are empty.
    std::error_code ignored;
    database_ = nullptr;
    if (new_records) std::filesystem::remove(flags_.records, ignored);
    return site.status();
  }
  site_ = *std::move(site);
  const int builders = flags_.builders > 0 ? static_cast<int>(flags_.builders)
                                           : std::min<int>(kMostBuilders, static_cast<int>(site_.builder_cores.size()));
  TF_ASSIGN_OR_RETURN(builder_, parts_.start_builders(builders, site_.builder_cores, site_.turns_file));

  TuneReport report(flags_.records, flags_.json);
  for (const codegen::NamedWorkload& named : workloads) {
    TuningTask task;
    absl::StatusOr<TuneSummary> summary = absl::UnknownError("");
    {
      ProgressPrinter printer(context_.out, isatty(fileno(context_.out)) != 0, parts_.clock);
      summary = TuneOne(named, printer, &task);
    }
    if (!summary.ok()) {
      const absl::Status health = site_.fleet == nullptr ? absl::OkStatus() : site_.fleet->Health();
      return absl::Status(
          summary.status().code(),
          absl::StrCat(health.ok() ? "" : absl::StrCat(health.message(), "; "), summary.status().message(),
                       "; what was measured is in ", flags_.records, ", the same command continues"));
    }
    std::fputs(report.Add(task, *summary).c_str(), context_.out);
    std::fflush(context_.out);
    if (summary->cancelled) break;
  }
  std::fputs(report.End(parts_.clock->Now() - start_).c_str(), context_.out);
  std::fflush(context_.out);
  return report.exit_status();
}

}  // namespace

int TuneCommand(const std::vector<std::string>& arguments, const CommandContext& context) {
  Flags flags;
  FlagSet set = Declare(&flags, *context.parts);
  if (const absl::Status status = set.Parse(arguments); !status.ok()) return Complain(context, status);
  if (set.help_wanted()) return std::fputs(set.Help().c_str(), context.out), kExitOk;
  const absl::StatusOr<int> exit_status = TuneRun(flags, context).Run();
  if (exit_status.ok()) return *exit_status;
  return absl::IsCancelled(exit_status.status()) ? kExitInterrupted : Complain(context, exit_status.status());
}

}  // namespace tunefleet::tuner
