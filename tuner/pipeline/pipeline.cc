#include "tuner/pipeline/pipeline.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "tuner/pipeline/finals.h"
#include "tuner/pipeline/reference_kernel.h"
#include "tuner/pipeline/resume.h"
#include "tuner/pipeline/search_stage.h"
#include "tuner/pipeline/tune_context.h"

namespace tunefleet::tuner {
namespace {

// One line: how many trials ended how, most frequent first, with the last detail of each kind.
std::string ExplainFailures(const std::vector<StoredRecord>& records) {
  struct Kind {
    int count = 0;
    std::string detail;
  };
  std::map<v1::Outcome, Kind> kinds;
  int trials = 0;
  for (const StoredRecord& stored : records) {
    if (stored.stage != TrialStage::kSearch) continue;
    ++trials;
    Kind& kind = kinds[stored.record.result().outcome()];
    ++kind.count;
    kind.detail = stored.record.result().detail();
  }
  if (trials == 0) return "no trial was measured";
  std::vector<std::pair<v1::Outcome, Kind>> sorted(kinds.begin(), kinds.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second.count > b.second.count; });
  std::string text = absl::StrCat("none of ", trials, " trials gave a trusted timing:");
  for (const auto& [outcome, kind] : sorted) {
    absl::StrAppend(&text, outcome == sorted.front().first ? " " : "; ", kind.count, " ", v1::Outcome_Name(outcome));
    if (!kind.detail.empty()) absl::StrAppend(&text, " (the last: ", kind.detail, ")");
  }
  return text;
}

absl::StatusOr<TuneSummary> Summarize(TuneContext& context, bool exhausted) {
  TuneSummary summary;
  TF_ASSIGN_OR_RETURN(summary.best, context.database.Best(context.job.task_digest));
  if (!summary.best.has_value()) {
    TF_ASSIGN_OR_RETURN(const std::vector<StoredRecord> records, context.database.Records(context.job.task_digest));
    summary.explanation = ExplainFailures(records);
  }
  summary.cancelled = context.control.cancelled();
  summary.exhausted = exhausted;
  context.meter.SetStage(TuneStage::kDone);
  summary.progress = context.meter.Snapshot();
  return summary;
}

}  // namespace

absl::StatusOr<TuneSummary> Tune(const TuningTask& task, TuneOptions options, SearchStrategy& strategy,
                                 Builder& builder, Runner& runner, Database& database, ProgressSink& sink,
                                 const common::Clock& clock, std::stop_token stop) {
  TF_ASSIGN_OR_RETURN(const Job job, database.OpenJob(task.identity));
  options.measure.set_cache_mode(task.identity.cache_mode);
  TuneControl control(std::move(stop), options.cancel_patience, &runner);
  ProgressMeter meter(options.trials, task.flops, &runner, &sink, &clock);
  TrialLedger ledger(&task, job, {.strategy = options.strategy, .seed = options.seed}, &runner, &database, &meter);
  TuneContext context{.task = task,
                      .options = options,
                      .builder = builder,
                      .runner = runner,
                      .database = database,
                      .clock = clock,
                      .control = control,
                      .meter = meter,
                      .ledger = ledger,
                      .job = job};

  bool exhausted = false;
  meter.SetStage(TuneStage::kPreparing);
  control.Fail(ProvideReference(task, runner));
  if (!control.halted()) {
    meter.SetStage(TuneStage::kResuming);
    const absl::StatusOr<int> known = Resume(context, strategy);
    control.Fail(known.status());
    if (known.ok()) {
      meter.SetStage(TuneStage::kSearching);
      exhausted = RunSearch(context, strategy, options.trials - *known);
    }
  }
  if (!control.halted()) RunFinals(context);
  TF_RETURN_IF_ERROR(control.status());
  return Summarize(context, exhausted);
}

}  // namespace tunefleet::tuner
