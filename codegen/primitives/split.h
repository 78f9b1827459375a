// split: one loop becomes several, nested. The order of execution does not change, so it is always legal for a serial
// loop.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_SPLIT_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_SPLIT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// One new loop per factor, outermost first; one factor may be 0: what is left, rounded up. Where the product is past
// the extent, the blocks inside get a predicate. A loop whose extent depends on outer loops is split by a 0 first.
// Errors: INVALID_ARGUMENT (factors, a product short of the extent, names), ALREADY_EXISTS, NOT_FOUND,
// FAILED_PRECONDITION (the loop is not serial).
absl::StatusOr<LoopNest> Split(const LoopNest& nest, absl::string_view loop, const std::vector<int64_t>& factors,
                               const std::vector<std::string>& names);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_SPLIT_H_
