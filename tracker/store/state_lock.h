// One tracker per state directory: an exclusive lock that ends with the process, however it ends.
#ifndef TUNEFLEET_TRACKER_STORE_STATE_LOCK_H_
#define TUNEFLEET_TRACKER_STORE_STATE_LOCK_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace tunefleet::tracker {

// The lock is an flock on DIR/lock, which also names the holder's process. Released by destruction. Movable by pointer
// only; thread-safe (it does nothing after it is made).
class StateLock {
 public:
  // Makes the directory (0700, parents too) where it is not there. Errors: FAILED_PRECONDITION naming the process that
  // holds the directory; PERMISSION_DENIED or another code for a directory that cannot be made or written.
  static absl::StatusOr<std::unique_ptr<StateLock>> Acquire(const std::string& directory);
  ~StateLock();
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;

 private:
  explicit StateLock(int fd) : fd_(fd) {}
  const int fd_;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_STORE_STATE_LOCK_H_
