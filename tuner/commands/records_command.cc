// `tunefleet records`: what is in a record database.
#include <algorithm>
#include <cctype>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "codegen/operators/closest_name.h"
#include "codegen/operators/workload.h"
#include "common/digest.h"
#include "common/status_macros.h"
#include "tuner/commands/command_line.h"
#include "tuner/commands/flags.h"
#include "tuner/commands/json.h"
#include "tuner/commands/task_selection.h"
#include "tuner/commands/text.h"

namespace tunefleet::tuner {
namespace {

struct Flags {
  std::string verb;
  std::string records = "tunefleet.db";
  TaskFlags task;
  std::string outcome;
  int64_t limit = 0;
  bool finals = false;
  bool json = false;
};

const char* StageName(TrialStage stage) {
  switch (stage) {
    case TrialStage::kSearch:
      return "search";
    case TrialStage::kFinalists:
      return "finalists";
    case TrialStage::kWinner:
      return "winner";
  }
  return "";
}

absl::StatusOr<v1::Outcome> ParseOutcome(const std::string& text) {
  std::vector<std::string> names;
  for (int value = v1::Outcome_MIN; value <= v1::Outcome_MAX; ++value) {
    if (!v1::Outcome_IsValid(value) || value == v1::OUTCOME_UNSPECIFIED) continue;
    names.push_back(OutcomeName(static_cast<v1::Outcome>(value)));
    if (names.back() == absl::AsciiStrToUpper(text)) return static_cast<v1::Outcome>(value);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--outcome='", text, "' is unknown", codegen::Suggestion(text, names)));
}

std::string RecordJson(const StoredRecord& stored, const TaskSummary& task, const std::string& name) {
  const v1::TuningRecord& record = stored.record;
  JsonObject knobs;
  for (const v1::KnobValue& knob : record.config().knobs()) knobs.Integer(knob.name(), knob.value());
  const std::string config = JsonObject()
                                 .Text("space", record.config().space())
                                 .Integer("version", record.config().space_version())
                                 .Raw("knobs", knobs.Print())
                                 .Print();
  JsonObject object;
  object.Text("trial", record.trial_id())
      .Text("workload", name)
      .Text("op", task.task.workload_key)
      .Text("target", TargetText(record.target()))
      .Text("device_class", record.device_class())
      .Integer("threads", std::max(1, record.target().threads()))
      .Text("cache", CacheModeName(task.task.cache_mode))
      .Raw("config", config)
      .Text("outcome", OutcomeName(record.result().outcome()));
  const double latency_ns = RecordLatencyNs(record);
  latency_ns > 0 ? object.Integer("latency_ns", static_cast<int64_t>(latency_ns)) : object.Null("latency_ns");
  latency_ns > 0 ? object.Number("gflops", codegen::FlopCount(record.workload()) / latency_ns) : object.Null("gflops");
  return object.Bool("censored", record.result().kernels_size() > 0 && record.result().kernels(0).censored())
      .Text("time", TimeText(record.recorded_at()))
      .Text("detail", record.result().detail())
      .Text("stage", StageName(stored.stage))
      .Text("strategy", record.strategy())
      .Integer("seed", static_cast<int64_t>(record.seed()))
      .Text("pass_pipeline", record.pass_pipeline())
      .Text("device", record.result().device_id())
      .Text("nest", common::HexDigest(record.nest_digest()))
      .Print();
}

absl::Status ListRecords(const Flags& flags, Database& database, const std::vector<TaskSummary>& tasks,
                         const CommandContext& context) {
  RecordFilter filter;
  if (!flags.outcome.empty()) {
    TF_ASSIGN_OR_RETURN(filter.outcome, ParseOutcome(flags.outcome));
  }
  filter.with_finals = flags.finals;
  if (flags.limit > 0) filter.limit = flags.limit;
  const WorkloadNames names;
  std::vector<std::vector<std::string>> rows = {
      {"TRIAL", "WORKLOAD", "OUTCOME", "LATENCY", "GFLOP/S", "TIME", "CONFIG"}};
  for (const TaskSummary& task : tasks) {
    const std::string name = names.Name(task.task);
    filter.task_digest = TaskDigest(task.task);
    TF_ASSIGN_OR_RETURN(const std::vector<StoredRecord> records, database.List(filter));
    for (const StoredRecord& stored : records) {
      if (flags.json) {
        std::fprintf(context.out, "%s\n", RecordJson(stored, task, name).c_str());
        continue;
      }
      const double latency_ns = RecordLatencyNs(stored.record);
      rows.push_back(
          {stored.record.trial_id(), name, OutcomePhrase(stored.record.result().outcome()),
           latency_ns > 0 ? LatencyText(latency_ns) : "-",
           latency_ns > 0 ? absl::StrFormat("%.1f", codegen::FlopCount(stored.record.workload()) / latency_ns) : "-",
           TimeText(stored.record.recorded_at()), KnobText(stored.record.config())});
    }
  }
  if (!flags.json) std::fputs(Table(rows).c_str(), context.out);
  return absl::OkStatus();
}

absl::Status Summarize(const Flags& flags, Database& database, const std::vector<TaskSummary>& tasks,
                       const CommandContext& context) {
  const WorkloadNames names;
  std::vector<std::vector<std::string>> rows = {
      {"WORKLOAD", "DEVICE CLASS", "TARGET", "THREADS", "CACHE", "TRIALS", "PENDING", "BEST", "GFLOP/S"}};
  for (const TaskSummary& task : tasks) {
    TF_ASSIGN_OR_RETURN(const std::optional<v1::TuningRecord> best, database.Best(TaskDigest(task.task)));
    const double latency_ns = best.has_value() ? RecordLatencyNs(*best) : 0;
    const double gflops = latency_ns > 0 ? codegen::FlopCount(task.task.workload) / latency_ns : 0;
    const std::string name = names.Name(task.task);
    const int threads = std::max(1, task.task.target.threads());
    const std::string cache = CacheModeName(task.task.cache_mode);
    if (flags.json) {
      JsonObject object;
      object.Text("workload", name)
          .Text("op", task.task.workload_key)
          .Text("target", TargetText(task.task.target))
          .Text("device_class", task.task.device_class)
          .Integer("threads", threads)
          .Text("cache", cache)
          .Text("job", task.job_id)
          .Integer("trials", task.trials)
          .Integer("pending", task.pending);
      latency_ns > 0 ? object.Integer("best_latency_ns", static_cast<int64_t>(latency_ns))
                     : object.Null("best_latency_ns");
      latency_ns > 0 ? object.Number("best_gflops", gflops) : object.Null("best_gflops");
      std::fprintf(context.out, "%s\n", object.Print().c_str());
      continue;
    }
    rows.push_back({name, task.task.device_class, TargetText(task.task.target), absl::StrCat(threads), cache,
                    absl::StrCat(task.trials), absl::StrCat(task.pending),
                    latency_ns > 0 ? LatencyText(latency_ns) : "-",
                    latency_ns > 0 ? absl::StrFormat("%.1f", gflops) : "-"});
  }
  if (!flags.json) std::fputs(Table(rows).c_str(), context.out);
  return absl::OkStatus();
}

absl::Status ShowRecords(const Flags& flags, const CommandContext& context) {
  if (!flags.verb.empty() && flags.verb != "list") {
    return absl::InvalidArgumentError(
        absl::StrCat("records: unknown action '", flags.verb, "'; expected 'records list' or 'records'"));
  }
  TF_ASSIGN_OR_RETURN(const std::unique_ptr<Database> database, OpenRecords(context, flags.records));
  TF_ASSIGN_OR_RETURN(const std::vector<TaskSummary> tasks, SelectTasks(*database, flags.task, flags.records));
  return flags.verb == "list" ? ListRecords(flags, *database, tasks, context)
                              : Summarize(flags, *database, tasks, context);
}

}  // namespace

int RecordsCommand(const std::vector<std::string>& arguments, const CommandContext& context) {
  Flags flags;
  FlagSet set("records",
              "tunefleet records [list]: what was tuned, one line per operator and target; with `list`, one line "
              "per trial.",
              "  tunefleet records --records=conv.db\n"
              "  tunefleet records list --records=conv.db --workload=resnet18.C6 --json\n");
  set.Text("records", "FILE", "the record database", &flags.records);
  flags.task.Declare(&set);
  set.Text("outcome", "OUTCOME", "list: only trials that ended so, e.g. ok or wrong_answer", &flags.outcome);
  set.Integer("limit", "list: only the newest N trials of each operator", 1, 1 << 30, &flags.limit);
  set.Switch("finals", "list: also the trials that compared finalists again", &flags.finals);
  set.Switch("json", "one JSON object per line", &flags.json);
  if (const absl::Status status = set.Parse(arguments, &flags.verb); !status.ok()) return Complain(context, status);
  if (set.help_wanted()) return std::fputs(set.Help().c_str(), context.out), kExitOk;
  const absl::Status status = ShowRecords(flags, context);
  return status.ok() ? kExitOk : Complain(context, status);
}

}  // namespace tunefleet::tuner
