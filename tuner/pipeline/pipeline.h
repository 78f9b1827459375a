// Tune: one workload from nothing (or from its records) to a tuned kernel.
//
//   propose ==> build ==> submit ==> [ runner ]
//      ^                                 |
//      +---- learn <== record (durable) <+
//
// The stages run at the same time with bounded queues between them. A trial is written down before it is submitted, its
// record is durable before its result is acknowledged: a run may be killed at any moment, and the same call continues
// it, without a lost trial, a second record or a configuration measured twice.
#ifndef TUNEFLEET_TUNER_PIPELINE_PIPELINE_H_
#define TUNEFLEET_TUNER_PIPELINE_PIPELINE_H_

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/turns.h"
#include "proto/record.pb.h"
#include "tuner/database/database.h"
#include "tuner/pipeline/builder.h"
#include "tuner/pipeline/progress.h"
#include "tuner/pipeline/runner.h"
#include "tuner/pipeline/tuning_task.h"
#include "tuner/search/search_strategy.h"

namespace tunefleet::tuner {

struct TuneOptions {
  int trials = 128;              // of the search, those recorded by earlier runs included
  std::string strategy;          // its name, for the records
  uint64_t seed = 0;             // the strategy's, for the records
  int window = 6;                // trials that wait at the runner, so that the device always has its next one
  v1::MeasureOptions measure;    // zeros: the agent's defaults. The task and each trial fill in more
  uint32_t search_samples = 20;  // of a kernel in the search, at most
  absl::Duration search_budget = absl::Milliseconds(40);  // of running it, while its time is uncertain
  double abort_ratio = 1.5;     // candidates slower than the best by this factor are cut short; 0: never
  int finalists = 5;            // measured again side by side after the search; below 2: none
  int built_ahead = 8;          // built candidates that wait while the strategy plans
  uint32_t final_samples = 40;  // of each kernel in the finals, at least
  absl::Duration final_budget = absl::Milliseconds(120);  // of running each kernel in the finals, while undecided
  double noise = 0.03;                                    // latencies within this share of the best are contenders
  bool refine_winner = true;                              // compile the winner at O3 too and keep the faster
  absl::Duration cancel_patience = absl::Seconds(2);      // how long a stopped run still waits for its trials in flight
  std::optional<common::Turns> turns;                     // planning takes them, where a device times on the same cores
};

struct TuneSummary {
  Progress progress;                     // the last
  std::optional<v1::TuningRecord> best;  // of the task, earlier runs included
  bool cancelled = false;                // stopped early; the same call continues
  bool exhausted = false;                // the spaces hold no further configuration
  std::string explanation;               // why there is no best: failures by kind with the last detail of each
};

// Blocks until it is done; threads of its own (one proposes, one per builder, one submits, one takes results) have
// ended when it returns. `stop` ends it early. The strategy must be fresh; it is told the task's records. The runner
// serves the task's job (database.OpenJob(task.identity)); it is closed only when a stopped run has to give up on a
// call that does not return. A trial that fails is a result; errors are those of the runner (UNAVAILABLE) and the
// database, and everything durable stays for the next call.
absl::StatusOr<TuneSummary> Tune(const TuningTask& task, TuneOptions options, SearchStrategy& strategy,
                                 Builder& builder, Runner& runner, Database& database, ProgressSink& sink,
                                 const common::Clock& clock, std::stop_token stop = {});

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_PIPELINE_H_
