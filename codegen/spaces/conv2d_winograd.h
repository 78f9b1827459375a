// Winograd convolution on CPUs: blocks of tiles whose transformed inputs and products stay in the caches.
//
//   for block of tiles:
//     transform its inputs, vectors of input channels, all in registers             (patches)
//     for block of output channels:
//       for xi, nu: multiply by the transformed filter, in register tiles            (products)
//       transform the products, vectors of output channels, and apply the epilogue   (output)
//
// The filter is transformed in prepare.
#ifndef TUNEFLEET_CODEGEN_SPACES_CONV2D_WINOGRAD_H_
#define TUNEFLEET_CODEGEN_SPACES_CONV2D_WINOGRAD_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/spaces/schedule_space.h"

namespace tunefleet::codegen {

// One space per tile size, "x86.conv2d.winograd.<m>"; none where Winograd does not apply. Errors: INVALID_ARGUMENT for
// a malformed workload.
absl::StatusOr<std::vector<std::unique_ptr<ScheduleSpace>>> MakeConv2dWinogradSpaces(const v1::Workload& workload,
                                                                                     const v1::Target& target);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_CONV2D_WINOGRAD_H_
