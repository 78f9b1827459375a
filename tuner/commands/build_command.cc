// `tunefleet build`: the best kernel as files to ship.
#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "codegen/operators/workload.h"
#include "common/status_macros.h"
#include "tuner/commands/command_line.h"
#include "tuner/commands/flags.h"
#include "tuner/commands/json.h"
#include "tuner/commands/kernel_description.h"
#include "tuner/commands/kernel_files.h"
#include "tuner/commands/task_selection.h"
#include "tuner/commands/text.h"
#include "tuner/commands/write_file.h"

namespace tunefleet::tuner {
namespace {

struct Flags {
  std::string records = "tunefleet.db";
  TaskFlags task;
  std::string output;
  bool json = false;
};

absl::StatusOr<int> Build(const Flags& flags, const CommandContext& context) {
  if (flags.output.empty()) return absl::InvalidArgumentError("build: -o is missing; expected e.g. -o conv.so");
  TF_ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, OpenRecords(context, flags.records));
  TF_ASSIGN_OR_RETURN(const std::vector<TaskSummary> tasks, SelectTasks(*database, flags.task, flags.records));
  const std::string name = WorkloadNames().Name(tasks[0].task);
  if (tasks.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat("build: records ", flags.records, " hold ", tasks.size(),
                                                   " operators or targets that fit; choose one with --workload, --op, "
                                                   "--device, --target or --threads ('tunefleet records --records=",
                                                   flags.records, "' lists them)"));
  }
  TF_ASSIGN_OR_RETURN(const std::optional<v1::TuningRecord> best, database->Best(TaskDigest(tasks[0].task)));
  if (!best.has_value()) {
    std::fprintf(context.err, "tunefleet: no valid kernel of %s yet (%d trials)\n", name.c_str(),
                 static_cast<int>(tasks[0].trials));
    return kExitFailed;
  }
  TF_ASSIGN_OR_RETURN(const std::unique_ptr<Builder> builder, context.parts->start_builders(1, {}, ""));
  const v1::BuildResponse built = builder->Build(BuildRequestOf(*best));
  if (built.outcome() != v1::OUTCOME_OK) {
    std::fprintf(context.err, "tunefleet: building %s: %s: %s\n", name.c_str(), OutcomePhrase(built.outcome()).c_str(),
                 built.detail().c_str());
    return kExitFailed;
  }
  if (built.nest_digest() != best->nest_digest()) {
    std::fprintf(context.err,
                 "tunefleet: warning: the schedule of %s now gives another loop nest than the one that was measured\n",
                 best->trial_id().c_str());
  }

  ShippedKernel kernel = NameKernelFiles(flags.output);
  kernel.workload_key = tasks[0].task.workload_key;
  kernel.workload = best->workload();
  kernel.target = best->target();
  kernel.manifest = built.manifest();
  kernel.latency_ns = RecordLatencyNs(*best);
  kernel.gflops = codegen::FlopCount(best->workload()) / kernel.latency_ns;
  const std::filesystem::path library(flags.output);
  const std::filesystem::path header = library.parent_path() / kernel.header;
  const std::filesystem::path example = library.parent_path() / kernel.example;
  TF_RETURN_IF_ERROR(WriteFile(library, built.code()));
  TF_RETURN_IF_ERROR(WriteFile(header, KernelHeader(kernel)));
  TF_RETURN_IF_ERROR(WriteFile(example, KernelExample(kernel)));
  v1::KernelFile description;
  *description.mutable_manifest() = kernel.manifest;
  *description.mutable_workload() = kernel.workload;
  *description.mutable_target() = kernel.target;
  description.set_implementation(best->schedule().implementation());
  TF_RETURN_IF_ERROR(WriteFile(DescriptionPath(flags.output), PrintDescription(description)));
  if (flags.json) {
    std::fprintf(context.out, "%s\n",
                 JsonObject()
                     .Text("workload", name)
                     .Text("op", kernel.workload_key)
                     .Text("library", library.string())
                     .Text("header", header.string())
                     .Text("example", example.string())
                     .Text("description", DescriptionPath(flags.output))
                     .Number("latency_ns", kernel.latency_ns)
                     .Number("gflops", kernel.gflops)
                     .Text("pass_pipeline", best->pass_pipeline())
                     .Print()
                     .c_str());
    return kExitOk;
  }
  std::fprintf(
      context.out, "%s: %s, measured at %s\n  %s\n  %s\n  %s   (cc -O2 %s -ldl -o example && ./example %s%s)\n",
      name.c_str(), TargetText(kernel.target).c_str(), LatencyText(kernel.latency_ns).c_str(), library.c_str(),
      header.c_str(), example.c_str(), example.c_str(), library.has_parent_path() ? "" : "./", library.c_str());
  return kExitOk;
}

}  // namespace

int BuildCommand(const std::vector<std::string>& arguments, const CommandContext& context) {
  Flags flags;
  FlagSet set(
      "build",
      "tunefleet build -o FILE.so: writes the best kernel as a shared library, with FILE.h that says how to call "
      "it, FILE_example.c that does, and FILE.json for 'tunefleet measure'.",
      "  tunefleet build --records=conv.db --workload=resnet18.C6 -o conv.so\n"
      "  cc -O2 conv_example.c -ldl -o conv_example && ./conv_example ./conv.so\n");
  set.Text("o", "FILE.so", "where to write the shared library", &flags.output);
  set.Text("records", "FILE", "the record database", &flags.records);
  flags.task.Declare(&set);
  set.Switch("json", "a JSON object as the last line", &flags.json);
  if (const absl::Status status = set.Parse(arguments); !status.ok()) return Complain(context, status);
  if (set.help_wanted()) return std::fputs(set.Help().c_str(), context.out), kExitOk;
  const absl::StatusOr<int> exit_status = Build(flags, context);
  return exit_status.ok() ? *exit_status : Complain(context, exit_status.status());
}

}  // namespace tunefleet::tuner
