// x86.conv2d.direct: direct convolution with a register tile of oc_tile channel groups times oh_tile x ow_tile pixels.
//
// The inner loop broadcasts input elements and multiplies them with vectors of weights, packed in the order in which
// they are walked. Activations may be blocked or plain; a plain output is scattered from the registers.
#ifndef TUNEFLEET_CODEGEN_SPACES_CONV2D_DIRECT_H_
#define TUNEFLEET_CODEGEN_SPACES_CONV2D_DIRECT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "codegen/spaces/schedule_space.h"

namespace tunefleet::codegen {

// Errors: those of Conv2dShapeOf and FreshNest.
absl::StatusOr<std::unique_ptr<ScheduleSpace>> MakeConv2dDirectSpace(const v1::Workload& workload,
                                                                     const v1::Target& target);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_CONV2D_DIRECT_H_
