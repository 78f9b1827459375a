// reverse_compute_at: a consumer block moves under a loop of its producer, and consumes there just what one iteration
// makes.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_REVERSE_COMPUTE_AT_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_REVERSE_COMPUTE_AT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The block stands after the last producer in the loop's body, under serial loops "<block>.<iterator>", one per
// iterator, in their order. Of what the consumer reads, one buffer is written under the loop. Errors: NOT_FOUND,
// ALREADY_EXISTS (loop names), FAILED_PRECONDITION (the consumer does more than assign elements, or does not read the
// buffer element by element; a reduction of the producer is not finished inside the loop; producers that write
// different regions, or none that is a box; elements that no iteration makes; other buffers in the way).
absl::StatusOr<LoopNest> ReverseComputeAt(const LoopNest& nest, absl::string_view block, absl::string_view loop);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_REVERSE_COMPUTE_AT_H_
