#include "common/clock.h"

#include <time.h>

namespace tunefleet::common {
namespace {

class RealMonotonicClock final : public Clock {
 public:
  absl::Time Now() const override {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return absl::TimeFromTimespec(now);
  }
};

}  // namespace

const Clock& MonotonicClock() {
  static const RealMonotonicClock clock;
  return clock;
}

}  // namespace tunefleet::common
