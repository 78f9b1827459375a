#include "tuner/pipeline/progress_meter.h"

#include <algorithm>

namespace tunefleet::tuner {

using common::MutexLock;

double TrustedLatencyNs(const v1::TuningRecord& record) {
  const v1::TrialResult& result = record.result();
  if (result.outcome() != v1::OUTCOME_OK || result.kernels_size() == 0 || result.kernels(0).censored()) return 0;
  return static_cast<double>(result.kernels(0).latency_ns());
}

ProgressMeter::ProgressMeter(int trials_total, double flops, Runner* runner, ProgressSink* sink,
                             const common::Clock* clock)
    : flops_(flops), runner_(runner), sink_(sink), clock_(clock), begin_(clock->Now()) {
  progress_.trials_total = trials_total;
}

void ProgressMeter::SetStage(TuneStage stage) {
  {
    MutexLock lock(&mutex_);
    progress_.stage = stage;
    if (stage == TuneStage::kSearching) search_begin_ = clock_->Now();
  }
  Report();
}

void ProgressMeter::Count(const v1::TuningRecord& record, TrialStage stage) {
  if (stage == TrialStage::kSearch) ++progress_.trials_done;
  const double latency_ns = TrustedLatencyNs(record);
  if (latency_ns > 0 && (progress_.best_latency_ns == 0 || latency_ns < progress_.best_latency_ns)) {
    progress_.best_latency_ns = latency_ns;
    progress_.best_gflops = flops_ / latency_ns;
  }
}

void ProgressMeter::Resumed(const StoredRecord& stored) {
  MutexLock lock(&mutex_);
  Count(stored.record, stored.stage);
  progress_.trials_resumed = progress_.trials_done;
}

void ProgressMeter::Recorded(const v1::TuningRecord& record, TrialStage stage) {
  {
    MutexLock lock(&mutex_);
    Count(record, stage);
    if (record.result().outcome() != v1::OUTCOME_OK) ++progress_.failures[record.result().outcome()];
  }
  Report();
}

void ProgressMeter::Planned(absl::Duration duration) {
  MutexLock lock(&mutex_);
  progress_.planning_time += duration;
  progress_.longest_planning = std::max(progress_.longest_planning, duration);
}

void ProgressMeter::SetInFlight(int in_flight) {
  MutexLock lock(&mutex_);
  progress_.in_flight = in_flight;
}

void ProgressMeter::Report() {
  const double busy = runner_->DeviceBusy();
  {
    MutexLock lock(&mutex_);
    progress_.device_busy = busy;
  }
  MutexLock lock(&report_mutex_);
  sink_->Report(Snapshot());
}

Progress ProgressMeter::Snapshot() const {
  MutexLock lock(&mutex_);
  Progress progress = progress_;
  const absl::Time now = clock_->Now();
  progress.elapsed = now - begin_;
  const int done_here = progress.trials_done - progress.trials_resumed;
  const double seconds = absl::ToDoubleSeconds(now - search_begin_);
  if (done_here > 0 && seconds > 0) {
    progress.trials_per_second = done_here / seconds;
    progress.time_left =
        absl::Seconds(std::max(0, progress.trials_total - progress.trials_done) / progress.trials_per_second);
  }
  return progress;
}

double ProgressMeter::BestLatencyNs() const {
  MutexLock lock(&mutex_);
  return progress_.best_latency_ns;
}

}  // namespace tunefleet::tuner
