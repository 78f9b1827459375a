// fold_loads: loads as memory operands. A scalar that several multiply-adds of one step of a register tile share is
// loaded by each of them instead of being broadcast to a register first, where the processor has such operands: fewer
// instructions for more loads. Done for as many scalars of a step as leave no more loads in it than multiply-adds.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_FOLD_LOADS_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_FOLD_LOADS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// What the nest means does not change. Errors: NOT_FOUND, FAILED_PRECONDITION (a buffer that lives in registers or is a
// literal).
absl::StatusOr<LoopNest> FoldLoads(const LoopNest& nest, absl::string_view buffer);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_FOLD_LOADS_H_
