// Counts what happens in a run and tells the sink. Thread-safe; the sink is called by one thread at a time.
#ifndef TUNEFLEET_TUNER_PIPELINE_PROGRESS_METER_H_
#define TUNEFLEET_TUNER_PIPELINE_PROGRESS_METER_H_

#include "common/clock.h"
#include "common/mutex.h"
#include "proto/record.pb.h"
#include "tuner/database/database.h"
#include "tuner/pipeline/progress.h"
#include "tuner/pipeline/runner.h"

namespace tunefleet::tuner {

class ProgressMeter {
 public:
  // All of them must outlive the meter.
  ProgressMeter(int trials_total, double flops, Runner* runner, ProgressSink* sink, const common::Clock* clock);

  void SetStage(TuneStage stage);
  // A record of an earlier run.
  void Resumed(const StoredRecord& stored);
  // A record of this run.
  void Recorded(const v1::TuningRecord& record, TrialStage stage);
  void Planned(absl::Duration duration);
  void SetInFlight(int in_flight);
  // Tells the sink how things stand.
  void Report();

  Progress Snapshot() const;
  // The fastest trusted latency so far; 0 when there is none.
  double BestLatencyNs() const;

 private:
  void Count(const v1::TuningRecord& record, TrialStage stage) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const double flops_;
  Runner* const runner_;
  ProgressSink* const sink_;
  const common::Clock* const clock_;
  const absl::Time begin_;
  common::Mutex report_mutex_;  // orders calls of the sink, guards nothing
  mutable common::Mutex mutex_;
  Progress progress_ ABSL_GUARDED_BY(mutex_);
  absl::Time search_begin_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
};

// The latency, when the record's result may be called a best; else 0.
double TrustedLatencyNs(const v1::TuningRecord& record);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_PROGRESS_METER_H_
