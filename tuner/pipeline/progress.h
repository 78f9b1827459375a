// What a tuning run tells while it runs.
#ifndef TUNEFLEET_TUNER_PIPELINE_PROGRESS_H_
#define TUNEFLEET_TUNER_PIPELINE_PROGRESS_H_

#include <map>
#include <string>

#include "absl/time/time.h"
#include "proto/measurement.pb.h"

namespace tunefleet::tuner {

enum class TuneStage { kPreparing, kResuming, kSearching, kFinalists, kWinner, kDone };

struct Progress {
  TuneStage stage = TuneStage::kPreparing;
  int trials_done = 0;         // of the search, recorded; those of earlier runs included
  int trials_total = 0;        // asked for
  int trials_resumed = 0;      // of trials_done, those known when the run began
  int in_flight = 0;           // submitted, no result yet
  double best_latency_ns = 0;  // 0: none yet
  double best_gflops = 0;
  double trials_per_second = 0;         // of this run
  double device_busy = 0;               // share, 0 to 1
  std::map<v1::Outcome, int> failures;  // by kind, of this run
  absl::Duration elapsed;
  absl::Duration time_left = absl::InfiniteDuration();  // infinite: not known yet
  absl::Duration planning_time;                         // the strategy's, all together
  absl::Duration longest_planning;                      // one call's
};

// Calls come one at a time, from threads of the pipeline, after every trial and every change of stage: be quick.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void Report(const Progress& progress) = 0;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_PROGRESS_H_
