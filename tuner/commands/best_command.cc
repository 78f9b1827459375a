// `tunefleet best`: the best kernel known of each operator.
#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "codegen/ir/printer.h"
#include "codegen/operators/implementation.h"
#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
#include "common/digest.h"
#include "common/status_macros.h"
#include "tuner/commands/command_line.h"
#include "tuner/commands/each_best.h"
#include "tuner/commands/flags.h"
#include "tuner/commands/json.h"
#include "tuner/commands/task_selection.h"
#include "tuner/commands/text.h"

namespace tunefleet::tuner {
namespace {

struct Flags {
  std::string records = "tunefleet.db";
  TaskFlags task;
  bool nest = true;
  bool json = false;
};

absl::StatusOr<std::string> NestText(const v1::TuningRecord& record) {
  TF_ASSIGN_OR_RETURN(const codegen::LoopNest fresh,
                      codegen::FreshNest(record.workload(), record.schedule().implementation(),
                                         record.schedule().implementation_version()));
  TF_ASSIGN_OR_RETURN(const codegen::LoopNest nest, codegen::Replay(fresh, record.schedule()));
  return codegen::Print(nest);
}

const char* QualityText(v1::Quality quality) { return quality == v1::QUALITY_NOISY ? "noisy" : "good"; }

std::string AsText(const BestKernel& best, const std::string& nest) {
  const v1::TuningRecord& record = best.record;
  const double latency_ns = RecordLatencyNs(record);
  const v1::KernelResult& kernel = record.result().kernels(0);
  std::string text =
      absl::StrFormat("%s on %s (%s, %s)\n", best.name, record.device_class(), TargetText(record.target()),
                      ConditionsText(record.target(), best.task.task.cache_mode));
  absl::StrAppend(&text, "  operator   ", best.task.task.workload_key, "\n");
  absl::StrAppendFormat(&text, "  latency    %s (median of %d samples, %s)\n", LatencyText(latency_ns),
                        kernel.samples_size(), QualityText(kernel.quality()));
  absl::StrAppendFormat(&text, "  speed      %.1f %s\n", codegen::FlopCount(record.workload()) / latency_ns,
                        RateUnit(record.workload()));
  absl::StrAppendFormat(&text, "  error      %.3g, %.1f%% of what is allowed\n", kernel.max_error(),
                        100 * kernel.max_error_ratio());
  absl::StrAppend(&text, "  compiled   ", record.codegen(), ", ", record.pass_pipeline(), "\n");
  absl::StrAppend(&text, "  trial      ", record.trial_id(), " of ", best.task.trials, ", ",
                  TimeText(record.recorded_at()), "\n");
  absl::StrAppend(&text, "  config     ", record.config().space(), ": ", KnobText(record.config()), "\n");
  absl::StrAppend(&text, "\nschedule of ", record.schedule().implementation(), ":\n");
  for (const v1::PrimitiveCall& call : record.schedule().calls()) {
    absl::StrAppend(&text, "  ", codegen::Print(call), "\n");
  }
  if (!nest.empty()) absl::StrAppend(&text, "\n", nest, nest.back() == '\n' ? "" : "\n");
  return text;
}

std::string AsJson(const BestKernel& best, const std::string& nest) {
  const v1::TuningRecord& record = best.record;
  const v1::KernelResult& kernel = record.result().kernels(0);
  std::vector<std::string> calls, samples;
  for (const v1::PrimitiveCall& call : record.schedule().calls()) calls.push_back(JsonString(codegen::Print(call)));
  for (const v1::Sample& sample : kernel.samples()) {
    samples.push_back(absl::StrFormat("%.12g", static_cast<double>(sample.total_ns()) / std::max(1u, sample.runs())));
  }
  JsonObject knobs;
  for (const v1::KnobValue& knob : record.config().knobs()) knobs.Integer(knob.name(), knob.value());
  JsonObject object = JsonHead(best);
  object.Text("quality", QualityText(kernel.quality()))
      .Number("max_error", kernel.max_error())
      .Number("max_error_ratio", kernel.max_error_ratio())
      .Raw("samples_ns", JsonArray(samples))
      .Integer("trials", best.task.trials)
      .Text("trial", record.trial_id())
      .Text("time", TimeText(record.recorded_at()))
      .Text("codegen", record.codegen())
      .Text("pass_pipeline", record.pass_pipeline())
      .Text("space", record.config().space())
      .Raw("config", knobs.Print())
      .Text("implementation", record.schedule().implementation())
      .Raw("schedule", JsonArray(calls));
  if (!nest.empty()) object.Text("nest", nest);
  return object.Print();
}

absl::StatusOr<int> ShowBest(const Flags& flags, const CommandContext& context) {
  TF_ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, OpenRecords(context, flags.records));
  TF_ASSIGN_OR_RETURN(const std::vector<TaskSummary> tasks, SelectTasks(*database, flags.task, flags.records));
  return ShowEachBest(*database, tasks, flags.json, context,
                      [&](const BestKernel& best) -> absl::StatusOr<std::string> {
                        std::string nest;
                        if (flags.nest) {
                          TF_ASSIGN_OR_RETURN(nest, NestText(best.record));
                        }
                        return flags.json ? AsJson(best, nest) : AsText(best, nest);
                      });
}

}  // namespace

int BestCommand(const std::vector<std::string>& arguments, const CommandContext& context) {
  Flags flags;
  FlagSet set("best", "tunefleet best: the best kernel known, with its figures, its schedule and its loop nest.",
              "  tunefleet best --records=conv.db --workload=resnet18.C6\n"
              "  tunefleet best --records=conv.db --no-nest --json\n");
  set.Text("records", "FILE", "the record database", &flags.records);
  flags.task.Declare(&set);
  set.Switch("nest", "print the loop nest (--no-nest: do not)", &flags.nest);
  set.Switch("json", "one JSON object per operator and line", &flags.json);
  if (const absl::Status status = set.Parse(arguments); !status.ok()) return Complain(context, status);
  if (set.help_wanted()) return std::fputs(set.Help().c_str(), context.out), kExitOk;
  const absl::StatusOr<int> exit_status = ShowBest(flags, context);
  return exit_status.ok() ? *exit_status : Complain(context, exit_status.status());
}

}  // namespace tunefleet::tuner
