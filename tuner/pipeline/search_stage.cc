#include "tuner/pipeline/search_stage.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "tuner/pipeline/bounded_queue.h"
#include "tuner/pipeline/build_candidate.h"

namespace tunefleet::tuner {
namespace {

// One step of the strategy.
std::vector<Candidate> Plan(TuneContext& context, SearchStrategy& strategy, std::vector<Measured> results) {
  const std::optional<common::Turn> turn = TakeWorkTurn(context);
  const absl::Time begin = context.clock.Now();
  strategy.Tell(std::move(results));
  std::vector<Candidate> candidates = strategy.Propose(1);
  context.meter.Planned(context.clock.Now() - begin);
  return candidates;
}

}  // namespace

bool RunSearch(TuneContext& context, SearchStrategy& strategy, int proposals) {
  const int builders = std::max(1, context.builder.Parallelism());
  BoundedQueue<Candidate> proposed(builders);
  BoundedQueue<BuiltCandidate> built(std::max(1, context.options.built_ahead));
  // Holds at most one result per trial: whoever learns must never make those wait who bring results.
  BoundedQueue<Measured> results(std::numeric_limits<size_t>::max());
  std::atomic<bool> exhausted = false;
  std::atomic<bool> all_submitted = false;
  const std::stop_callback on_halt(context.control.token(), [&] {
    proposed.Cancel();
    built.Cancel();
    context.ledger.Wake();
  });
  const auto learn_from = [&](const StoredRecord& stored) {
    if (stored.stage != TrialStage::kSearch) return;
    if (auto measured = ToMeasured(context.task, stored.record); measured.ok()) results.Push(*std::move(measured));
  };

  std::jthread propose([&] {
    for (int left = proposals; left > 0 && !context.control.halted(); --left) {
      std::vector<Candidate> candidates = Plan(context, strategy, results.Drain());
      exhausted = candidates.empty();
      if (candidates.empty() || !proposed.Push(std::move(candidates.front()))) break;
    }
    proposed.Close();
  });

  std::vector<std::jthread> build;
  for (int i = 0; i < builders; ++i) {
    build.emplace_back([&] {
      while (const std::optional<Candidate> candidate = proposed.Pop()) {
        if (!built.Push(BuildCandidate(context.task, *candidate, kSearchPipeline, context.builder))) break;
      }
    });
  }

  std::jthread submit([&] {
    while (const std::optional<BuiltCandidate> candidate = built.Pop()) {
      absl::StatusOr<std::optional<StoredRecord>> record;
      if (candidate->outcome != v1::OUTCOME_OK) {
        record = context.ledger.RecordUnbuilt(*candidate);
      } else {
        if (!context.ledger.WaitForRoom(context.options.window)) break;
        record = context.ledger.Submit(TrialStage::kSearch, {*candidate}, SearchOptions(context));
      }
      if (!record.ok()) {
        context.control.Fail(record.status());
        break;
      }
      if (record->has_value()) learn_from(**record);
    }
  });

  std::jthread collect([&] {
    CollectResults(
        context, [&] { return all_submitted.load(); }, learn_from);
  });

  propose.join();
  for (std::jthread& thread : build) thread.join();
  built.Close();
  submit.join();
  all_submitted = true;
  collect.join();
  return exhausted;
}

}  // namespace tunefleet::tuner
