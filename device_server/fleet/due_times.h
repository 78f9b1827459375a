// When each device must be done at the latest with what it is busy with: how a hang in the agent itself is noticed, by
// whoever reports to the watchdog. Thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_FLEET_DUE_TIMES_H_
#define TUNEFLEET_DEVICE_SERVER_FLEET_DUE_TIMES_H_

#include <map>
#include <string>

#include "absl/time/time.h"
#include "common/mutex.h"

namespace tunefleet::device {

class DueTimes {
 public:
  // The device is busy with something new, which replaces what it was busy with.
  void Set(const std::string& device_id, absl::Time due);
  // It is not busy.
  void Clear(const std::string& device_id);
  // False when some device should have been done by now.
  bool AllInTime(absl::Time now) const;

 private:
  mutable common::Mutex mutex_;
  std::map<std::string, absl::Time> due_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_FLEET_DUE_TIMES_H_
