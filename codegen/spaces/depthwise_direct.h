// x86.depthwise.direct: depthwise convolution with a register tile of oh_tile x ow_tile vectors.
//
// Blocked layouts: a vector is channels of a block. Plain NCHW: a vector is neighbouring pixels of a row.
#ifndef TUNEFLEET_CODEGEN_SPACES_DEPTHWISE_DIRECT_H_
#define TUNEFLEET_CODEGEN_SPACES_DEPTHWISE_DIRECT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "codegen/spaces/schedule_space.h"

namespace tunefleet::codegen {

// Errors: those of Conv2dShapeOf and FreshNest.
absl::StatusOr<std::unique_ptr<ScheduleSpace>> MakeDepthwiseDirectSpace(const v1::Workload& workload,
                                                                        const v1::Target& target);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_DEPTHWISE_DIRECT_H_
