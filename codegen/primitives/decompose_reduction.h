// decompose_reduction: the init of a reduction becomes a block of its own before a loop, so that the reduction's loops
// hold nothing but updates.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_DECOMPOSE_REDUCTION_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_DECOMPOSE_REDUCTION_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The init stands just before the loop, in block `name` with the spatial iterators of `block`, under serial loops
// "<name>.<iterator>", one per iterator, in their order. Errors: NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT (name),
// FAILED_PRECONDITION (no init; a loop of the reduction outside the loop; elements that the loop's iterations share or
// do not all reach; another block under the loop that writes the buffer, or reads it before the reduction).
absl::StatusOr<LoopNest> DecomposeReduction(const LoopNest& nest, absl::string_view block, absl::string_view loop,
                                            absl::string_view name);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_DECOMPOSE_REDUCTION_H_
