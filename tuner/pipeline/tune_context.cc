#include "tuner/pipeline/tune_context.h"

#include <utility>

#include "common/proto_time.h"
#include "common/status_macros.h"
#include "tuner/pipeline/build_candidate.h"

namespace tunefleet::tuner {
namespace {

// How long one look for a result takes: after the last one, the stage ends within this.
constexpr absl::Duration kLook = absl::Milliseconds(50);

}  // namespace

absl::StatusOr<Measured> ToMeasured(const TuningTask& task, const v1::TuningRecord& record) {
  Measured measured;
  TF_ASSIGN_OR_RETURN(measured.candidate, FindCandidate(task, record.config()));
  const v1::TrialResult& result = record.result();
  measured.outcome = result.outcome();
  if (result.kernels_size() > 0) {
    measured.latency_ns = static_cast<double>(result.kernels(0).latency_ns());
    measured.censored = result.kernels(0).censored();
  }
  return measured;
}

std::optional<common::Turn> TakeWorkTurn(const TuneContext& context) {
  if (!context.options.turns.has_value()) return std::nullopt;
  absl::StatusOr<common::Turn> turn = context.options.turns->Work([&] { return context.control.halted(); });
  if (!turn.ok()) return std::nullopt;
  return *std::move(turn);
}

v1::MeasureOptions SearchOptions(const TuneContext& context) {
  v1::MeasureOptions options = context.options.measure;
  if (options.max_samples() == 0) options.set_max_samples(context.options.search_samples);
  if (!options.has_run_budget()) *options.mutable_run_budget() = common::DurationToProto(context.options.search_budget);
  options.set_incumbent_ns(static_cast<uint64_t>(context.meter.BestLatencyNs()));
  options.set_abort_ratio(options.incumbent_ns() > 0 ? context.options.abort_ratio : 0);
  return options;
}

void CollectResults(TuneContext& context, const std::function<bool()>& complete,
                    const std::function<void(const StoredRecord&)>& on_record) {
  while (context.control.status().ok()) {
    const bool last = context.control.halted() || complete();  // asked before the count: none can slip in between
    // A tuner that was killed between record and acknowledgement left a result that the fleet still keeps.
    if (last && context.ledger.InFlight() == 0 && !context.runner.HasBacklog()) return;
    const auto finished = context.runner.Next(kLook);
    if (!finished.ok()) {
      context.control.Fail(finished.status());
      return;
    }
    if (!finished->has_value()) continue;
    const auto record = context.ledger.Take(**finished);
    if (!record.ok()) {
      context.control.Fail(record.status());
      return;
    }
    if (record->has_value()) on_record(**record);
  }
}

}  // namespace tunefleet::tuner
