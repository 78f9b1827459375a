// The order of leases: (epoch, counter), epoch first. A zero fence is older than every lease.
#ifndef TUNEFLEET_TRACKER_CORE_FENCE_H_
#define TUNEFLEET_TRACKER_CORE_FENCE_H_

#include <compare>
#include <cstdint>

#include "proto/fleet.pb.h"

namespace tunefleet::tracker {

struct Fence {
  uint64_t epoch = 0;
  uint64_t counter = 0;
  auto operator<=>(const Fence&) const = default;
};

inline Fence FenceFromProto(const v1::Fence& fence) { return {fence.epoch(), fence.counter()}; }

inline v1::Lease LeaseToProto(const std::string& trial_id, Fence fence, const std::string& device_id) {
  v1::Lease lease;
  lease.set_trial_id(trial_id);
  lease.mutable_fence()->set_epoch(fence.epoch);
  lease.mutable_fence()->set_counter(fence.counter);
  lease.set_device_id(device_id);
  return lease;
}

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_CORE_FENCE_H_
