// rfactor: a sum over a loop that other iterations need not wait for. Every iteration of the loop gets a sum of its
// own, and a block added after them adds those up: what lets a reduction run in the lanes of a vector.
//
//   for m:                              for m:
//     for k.o, k.v:                       for k.o, k.v:
//       t[m] += f(m, 16 k.o + k.v)  =>      part[m, k.v] += f(m, 16 k.o + k.v)
//                                       for m: for k.v: part.out: t[m] += part[m, k.v]
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_RFACTOR_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_RFACTOR_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The block writes the new buffer `name` (the shape of the one that it wrote, and the loop's extent) instead; the loop
// becomes a spatial iterator of it, and the loops that shared a reduction iterator with it become iterators of their
// own. Block "<name>.out" (iterators d0, d1, ... of the old buffer, then one named after the loop; loops
// "<name>.out.d0", ...) stands after the statement of the root that holds the block. Tails of the reduction become
// guards. Sums are made in another order. Scope: local, workspace or shared.
// Errors: NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT (name, scope), FAILED_PRECONDITION (the loop is not around the
// block, is not serial, or does not make exactly one iterator, a reduction; the block is not a sum with an init that is
// not decomposed yet; what cache_write refuses; a loop of that iterator that makes another one too or has bounds that
// are not constant; a predicate about them and others).
absl::StatusOr<LoopNest> RFactor(const LoopNest& nest, absl::string_view block, absl::string_view loop,
                                 absl::string_view scope, absl::string_view name);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_RFACTOR_H_
