// How long to wait before the next attempt: doubling from `first` to `most`, each wait drawn uniformly from the upper
// half of its step, so that a fleet that lost its tracker does not return in one instant. Pure: randomness is an
// argument.
#ifndef TUNEFLEET_DEVICE_SERVER_FLEET_BACKOFF_H_
#define TUNEFLEET_DEVICE_SERVER_FLEET_BACKOFF_H_

#include <algorithm>

#include "absl/random/bit_gen_ref.h"
#include "absl/random/distributions.h"
#include "absl/time/time.h"

namespace tunefleet::device {

class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration most) : first_(first), most_(most), step_(first) {}

  absl::Duration Next(absl::BitGenRef random) {
    const absl::Duration wait = step_ * absl::Uniform(random, 0.5, 1.0);
    step_ = std::min(step_ * 2, most_);
    return wait;
  }

  // After a success.
  void Reset() { step_ = first_; }

 private:
  const absl::Duration first_;
  const absl::Duration most_;
  absl::Duration step_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_FLEET_BACKOFF_H_
