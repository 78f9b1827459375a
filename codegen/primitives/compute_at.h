// compute_at: a producer block moves under a loop, and computes there just what the loop's consumers need.
//
// What is needed comes from interval arithmetic over the loops inside; where that is past the producer's domain, a
// predicate clips it. The producer may compute an element more than once.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_COMPUTE_AT_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_COMPUTE_AT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The block stands before the first consumer in the loop's body, under serial loops "<block>.<iterator>", one per
// iterator, in their order. Errors: NOT_FOUND, ALREADY_EXISTS (loop names), FAILED_PRECONDITION (the buffer is not a
// temporary, has another writer, or is read outside the loop; the producer does not stand before the loop's statement;
// what it reads is written on the way; a region that is not known).
absl::StatusOr<LoopNest> ComputeAt(const LoopNest& nest, absl::string_view block, absl::string_view loop);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_COMPUTE_AT_H_
