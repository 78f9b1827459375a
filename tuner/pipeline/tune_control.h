// How a run ends early: the user stops it, or a stage fails. Thread-safe.
#ifndef TUNEFLEET_TUNER_PIPELINE_TUNE_CONTROL_H_
#define TUNEFLEET_TUNER_PIPELINE_TUNE_CONTROL_H_

#include <functional>
#include <stop_token>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/mutex.h"
#include "tuner/pipeline/runner.h"

namespace tunefleet::tuner {

class TuneControl {
 public:
  // `user` stops the run; the runner is closed when the run is still not over `patience` after that.
  TuneControl(std::stop_token user, absl::Duration patience, Runner* runner)
      : user_(std::move(user)),
        on_user_stop_(user_, [this] { halt_.request_stop(); }),
        watch_([this, patience, runner](std::stop_token over) { CloseLate(over, patience, runner); }) {}

  // The first failure ends the run. What a closed runner says of a stopped run is none.
  void Fail(const absl::Status& status) {
    if (status.ok()) return;
    if (cancelled() && status.code() == absl::StatusCode::kCancelled) return;
    {
      common::MutexLock lock(&mutex_);
      if (status_.ok()) status_ = status;
    }
    halt_.request_stop();
  }

  // Stopped or failed.
  std::stop_token token() const { return halt_.get_token(); }
  bool halted() const { return halt_.stop_requested(); }
  bool cancelled() const { return user_.stop_requested(); }
  absl::Status status() {
    common::MutexLock lock(&mutex_);
    return status_;
  }

 private:
  void CloseLate(std::stop_token over, absl::Duration patience, Runner* runner) {
    common::Mutex mutex;
    common::CondVar wake;
    const auto signal = [&] {
      common::MutexLock lock(&mutex);
      wake.SignalAll();
    };
    const std::stop_callback on_over(over, signal);
    const std::stop_callback on_stop(user_, signal);
    common::MutexLock lock(&mutex);
    while (!over.stop_requested() && !user_.stop_requested()) wake.Wait(&mutex);
    const absl::Time deadline = absl::Now() + patience;
    while (!over.stop_requested() && absl::Now() < deadline) wake.WaitWithTimeout(&mutex, deadline - absl::Now());
    if (!over.stop_requested()) runner->Close();
  }

  const std::stop_token user_;
  std::stop_source halt_;
  common::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::stop_callback<std::function<void()>> on_user_stop_;
  std::jthread watch_;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_TUNE_CONTROL_H_
