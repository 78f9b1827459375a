#include "device_server/fleet/due_times.h"

#include <algorithm>

namespace tunefleet::device {

void DueTimes::Set(const std::string& device_id, absl::Time due) {
  const common::MutexLock lock(&mutex_);
  due_[device_id] = due;
}

void DueTimes::Clear(const std::string& device_id) {
  const common::MutexLock lock(&mutex_);
  due_.erase(device_id);
}

bool DueTimes::AllInTime(absl::Time now) const {
  const common::MutexLock lock(&mutex_);
  return std::all_of(due_.begin(), due_.end(), [now](const auto& device) { return now < device.second; });
}

}  // namespace tunefleet::device
