// When may a stream start an operation, and when must it finish? A gRPC reactor must call Finish exactly once, with no
// write under way and no operation about to start on another thread, and may start nothing afterwards. Operations can
// not be started under a lock, so the gate counts those that are between decision and end.
//
// Thread-safe.
#ifndef TUNEFLEET_TRACKER_SERVICE_STREAM_GATE_H_
#define TUNEFLEET_TRACKER_SERVICE_STREAM_GATE_H_

#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "common/mutex.h"

namespace tunefleet::tracker {

class StreamGate {
 public:
  // True: an operation may be started; Leave follows when it has ended (a write) or has been started (a read).
  // False: the stream is closing.
  [[nodiscard]] bool Enter() {
    common::MutexLock lock(&mutex_);
    if (closing_) return false;
    ++inside_;
    return true;
  }

  // A status: the caller must Finish with it, now. Given once.
  [[nodiscard]] std::optional<absl::Status> Leave() {
    common::MutexLock lock(&mutex_);
    --inside_;
    return TakeFinish();
  }

  // The stream shall end with this status; the first one counts.
  [[nodiscard]] std::optional<absl::Status> Close(absl::Status status) {
    common::MutexLock lock(&mutex_);
    if (!closing_) status_ = std::move(status);
    closing_ = true;
    return TakeFinish();
  }

 private:
  std::optional<absl::Status> TakeFinish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!closing_ || inside_ > 0 || finished_) return std::nullopt;
    finished_ = true;
    return status_;
  }

  common::Mutex mutex_;
  int inside_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_SERVICE_STREAM_GATE_H_
