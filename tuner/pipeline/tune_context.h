// What the stages of one run share. All of it outlives the stages.
#ifndef TUNEFLEET_TUNER_PIPELINE_TUNE_CONTEXT_H_
#define TUNEFLEET_TUNER_PIPELINE_TUNE_CONTEXT_H_

#include <functional>
#include <optional>

#include "common/turns.h"
#include "tuner/pipeline/builder.h"
#include "tuner/pipeline/pipeline.h"
#include "tuner/pipeline/progress_meter.h"
#include "tuner/pipeline/trial_ledger.h"
#include "tuner/pipeline/tune_control.h"
#include "tuner/pipeline/tuning_task.h"

namespace tunefleet::tuner {

struct TuneContext {
  const TuningTask& task;
  const TuneOptions& options;
  Builder& builder;
  Runner& runner;
  Database& database;
  const common::Clock& clock;
  TuneControl& control;
  ProgressMeter& meter;
  TrialLedger& ledger;
  const Job& job;
};

// What the strategy learns from a record. Errors: those of FindCandidate.
absl::StatusOr<Measured> ToMeasured(const TuningTask& task, const v1::TuningRecord& record);

// Held where the run's cores are also the device's, so that no kernel is timed meanwhile. Nullopt where they are not,
// the run has to end, or there is no turn to be had: then the caller goes on all the same, which costs the timing, not
// the plan. Whoever holds it must not wait for a builder, which takes a turn of its own.
std::optional<common::Turn> TakeWorkTurn(const TuneContext& context);

// How a trial of the search is measured now: with the best known as the incumbent.
v1::MeasureOptions SearchOptions(const TuneContext& context);

// Takes results until no trial is in flight, none of an earlier run waits to be acknowledged, and `complete` says that
// none will follow, or the run has to end. Failures
// go to the context's control. `on_record` sees every new record.
void CollectResults(TuneContext& context, const std::function<bool()>& complete,
                    const std::function<void(const StoredRecord&)>& on_record);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_TUNE_CONTEXT_H_
