#include "tuner/pipeline/resume.h"

#include <optional>
#include <utility>
#include <vector>

#include "common/status_macros.h"
#include "tuner/pipeline/build_candidate.h"
#include "tuner/pipeline/finals.h"

namespace tunefleet::tuner {
namespace {

// The kernel as far as the database knows it. A config that is of no space any more keeps an error as its detail.
BuiltCandidate Unbuilt(const TuningTask& task, const PlannedKernel& planned) {
  BuiltCandidate kernel{.config = planned.config, .pass_pipeline = planned.pass_pipeline};
  auto candidate = FindCandidate(task, planned.config);
  if (!candidate.ok()) {
    kernel.outcome = v1::OUTCOME_REFUSED;
    kernel.detail = candidate.status().ToString();
    return kernel;
  }
  kernel.candidate = *std::move(candidate);
  if (auto schedule = task.spaces[kernel.candidate.space]->ToSchedule(kernel.candidate.values); schedule.ok()) {
    kernel.schedule = *std::move(schedule);
  }
  return kernel;
}

absl::Status SubmitAgain(TuneContext& context, const PendingTrial& trial, std::vector<BuiltCandidate> kernels) {
  for (BuiltCandidate& kernel : kernels) {
    if (kernel.outcome == v1::OUTCOME_UNSPECIFIED) {
      kernel = BuildCandidate(context.task, kernel.candidate, kernel.pass_pipeline, context.builder);
    }
    if (kernel.outcome != v1::OUTCOME_OK) {
      return context.ledger.GiveUp(trial.number, kernel.outcome, kernel.detail).status();
    }
  }
  v1::MeasureOptions options = SearchOptions(context);
  if (trial.stage != TrialStage::kSearch) options = FinalOptions(context.options);
  return context.ledger.SubmitAgain(trial.number, kernels, options).status();
}

}  // namespace

absl::StatusOr<int> Resume(TuneContext& context, SearchStrategy& strategy) {
  int trials = 0;
  TF_ASSIGN_OR_RETURN(const std::vector<StoredRecord> records, context.database.Records(context.job.task_digest));
  std::vector<Measured> known;
  for (const StoredRecord& stored : records) {
    context.meter.Resumed(stored);
    if (stored.stage != TrialStage::kSearch) continue;
    ++trials;
    if (auto measured = ToMeasured(context.task, stored.record); measured.ok()) known.push_back(*std::move(measured));
  }
  {
    const std::optional<common::Turn> turn = TakeWorkTurn(context);
    strategy.Tell(known);
  }

  TF_ASSIGN_OR_RETURN(const std::vector<PendingTrial> pending, context.database.Pending(context.job.job_id));
  std::vector<std::vector<BuiltCandidate>> kernels;
  for (const PendingTrial& trial : pending) {
    std::vector<BuiltCandidate>& planned = kernels.emplace_back();
    for (const PlannedKernel& kernel : trial.kernels) {
      planned.push_back(Unbuilt(context.task, kernel));
      if (planned.back().outcome == v1::OUTCOME_UNSPECIFIED) strategy.Exclude({planned.back().candidate});
    }
    if (trial.stage == TrialStage::kSearch) ++trials;
    context.ledger.Expect(trial.number, trial.stage, planned);
  }
  for (size_t i = 0; i < pending.size() && !context.control.halted(); ++i) {
    TF_RETURN_IF_ERROR(SubmitAgain(context, pending[i], std::move(kernels[i])));
  }
  return trials;
}

}  // namespace tunefleet::tuner
