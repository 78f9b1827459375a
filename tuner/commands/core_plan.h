// Which cores measure and which work: a device, of an embedded fleet or of an agent on the same machine, has its cores
// for itself.
#ifndef TUNEFLEET_TUNER_COMMANDS_CORE_PLAN_H_
#define TUNEFLEET_TUNER_COMMANDS_CORE_PLAN_H_

#include <map>
#include <vector>

#include "absl/status/statusor.h"

namespace tunefleet::tuner {

struct CorePlan {
  std::vector<int> device;  // ascending, one per thread of the kernel
  std::vector<int> others;  // for the tuner and its builders: no hardware thread of a device core, if there are others
  bool shared = false;      // there are none: the others are the device's cores too
};

// The device gets the last `threads` physical cores (one hardware thread each) of `allowed`. `siblings` maps a hardware
// thread to all those of its core, itself included; threads without an entry are alone. When nothing is left, the
// others share all allowed cores. Errors: INVALID_ARGUMENT (more threads than physical cores).
absl::StatusOr<CorePlan> PlanCores(const std::vector<int>& allowed, const std::map<int, std::vector<int>>& siblings,
                                   int threads);

// The cores of `allowed` for a tuner and its builders beside agents that measure on `measuring`: none of those cores'
// hardware threads, or at least not those that measure; all, where nothing else is left.
std::vector<int> CoresBeside(const std::vector<int>& allowed, const std::map<int, std::vector<int>>& siblings,
                             const std::vector<int>& measuring);

// The hardware threads that this process may run on.
std::vector<int> AllowedCores();
// As the kernel tells; empty where it does not.
std::map<int, std::vector<int>> CoreSiblings(const std::vector<int>& cores);
// From now on this thread, and threads and processes that it starts, run on these cores alone.
void StayOnCores(const std::vector<int>& cores);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_CORE_PLAN_H_
