// Keeps a result within what one message to the tracker may hold (64 KiB, proto/fleet.proto): many kernels with many
// raw samples are more. Pure.
#ifndef TUNEFLEET_DEVICE_SERVER_FLEET_RESULT_BOUND_H_
#define TUNEFLEET_DEVICE_SERVER_FLEET_RESULT_BOUND_H_

#include <cstddef>

#include "proto/measurement.pb.h"

namespace tunefleet::device {

inline constexpr size_t kMostResultBytes = 56 << 10;  // what is around it stays under 8 KiB

// Leaves out raw samples, evenly over time and over the kernels, until the result is no larger than kMostResultBytes,
// and says so in its detail. Latencies, intervals and verdicts stay those of all samples.
void BoundResult(v1::TrialResult* result);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_FLEET_RESULT_BOUND_H_
