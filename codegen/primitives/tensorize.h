// tensorize: loops that match an intrinsic's description are left to its implementation.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_TENSORIZE_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_TENSORIZE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The loop and those inside that the description has become kTensorized; what they mean stays as it is. A predicate or
// guard that holds for all or none of their iterations becomes a predicate without their variables. The intrinsics are
// those of codegen/ir/tensor_intrinsic.h; the target need not be known, its code generator refuses what it cannot do.
// Errors: NOT_FOUND (loop, intrinsic), FAILED_PRECONDITION (the loops are not serial, do not match, or write
// overlapping elements; a predicate or guard that is true for some of their iterations only).
absl::StatusOr<LoopNest> Tensorize(const LoopNest& nest, absl::string_view loop, absl::string_view intrinsic);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_TENSORIZE_H_
