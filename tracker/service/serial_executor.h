// One thread that runs functions in the order in which they were posted, and a periodic one between them. Thread-safe.
#ifndef TUNEFLEET_TRACKER_SERVICE_SERIAL_EXECUTOR_H_
#define TUNEFLEET_TRACKER_SERVICE_SERIAL_EXECUTOR_H_

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/mutex.h"

namespace tunefleet::tracker {

class SerialExecutor {
 public:
  // `periodic` runs on the thread once in every `period`; an infinite period means never.
  explicit SerialExecutor(absl::Duration period = absl::InfiniteDuration(), std::function<void()> periodic = nullptr);
  // Stops.
  ~SerialExecutor();
  SerialExecutor(const SerialExecutor&) = delete;
  SerialExecutor& operator=(const SerialExecutor&) = delete;

  // After Stop the function is dropped.
  void Post(std::function<void()> function);
  // Runs what is posted, then ends the thread. Not from the thread itself.
  void Stop();

 private:
  void Run();

  const absl::Duration period_;
  const std::function<void()> periodic_;
  common::Mutex mutex_;
  common::CondVar changed_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all the others
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_SERVICE_SERIAL_EXECUTOR_H_
