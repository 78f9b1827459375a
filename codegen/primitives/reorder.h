// reorder: loops of one chain take each other's places.
//
// For the blocks inside, iterations must not depend on the order of loops that change places: spatial loops may, and
// so may reduction loops (sums are then added in another order). A loop over which a reduction is merely repeated must
// not get inside the reduction's loops, nor out of them. Over a body of several blocks, one loop of each pair that
// changes places must have independent iterations.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_REORDER_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_REORDER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// `loops` in their new order, outermost first; loops between them keep their places. Errors: NOT_FOUND,
// INVALID_ARGUMENT (a loop named twice), FAILED_PRECONDITION (not one chain, bounds that depend on a loop that would be
// inside, an order that blocks depend on).
absl::StatusOr<LoopNest> Reorder(const LoopNest& nest, const std::vector<std::string>& loops);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_REORDER_H_
