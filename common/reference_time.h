// What the tracker grants and the agent takes for references that a device computes itself (v1::Kernel.reference).
#ifndef TUNEFLEET_COMMON_REFERENCE_TIME_H_
#define TUNEFLEET_COMMON_REFERENCE_TIME_H_

#include "absl/time/time.h"

namespace tunefleet::common {

// Of all the references of a trial together. Plain schedules in double precision are slow. Part of the lease's
// deadline, beside the kernels' own time: what the references leave of it is not the kernels'.
inline constexpr absl::Duration kReferenceAllowance = absl::Minutes(10);

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_REFERENCE_TIME_H_
