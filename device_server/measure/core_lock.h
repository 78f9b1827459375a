// Host-wide locks on processor cores, so that two agents never time kernels on one core at once.
//
// A core's lock is an abstract name (common/abstract_name.h): it leaves no file and goes with its process. Each core
// has a second lock, the turn: who waits for the core holds the turn, so two agents alternate. Thread-compatible.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_CORE_LOCK_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_CORE_LOCK_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "device_server/sandbox/unique_fd.h"

namespace tunefleet::device {

class CoreLock {
 public:
  // Waits until all `cores` are this process's. `give_up` is asked every millisecond; true ends the wait: nullopt.
  // `scope` tells tests from real agents.
  static std::optional<CoreLock> Acquire(std::vector<uint16_t> cores, const std::string& scope,
                                         const std::function<bool()>& give_up);

 private:
  std::vector<UniqueFd> held_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_CORE_LOCK_H_
