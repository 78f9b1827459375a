// Time as a dependency, so that logic can be simulated. Thread-safe.
#ifndef TUNEFLEET_COMMON_CLOCK_H_
#define TUNEFLEET_COMMON_CLOCK_H_

#include "absl/time/time.h"

namespace tunefleet::common {

class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic in the real clock: it never steps back, and absolute values mean nothing across processes.
  virtual absl::Time Now() const = 0;
};

// CLOCK_MONOTONIC mapped onto absl::Time. Lives for ever.
const Clock& MonotonicClock();

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_CLOCK_H_
