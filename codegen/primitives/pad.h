// pad: a block reads a copy of a buffer with zeros around it, so that it need not ask where the buffer ends.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_PAD_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_PAD_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The new buffer `name` has `before` and `after` more elements along each dimension; the copy block `name` (iterators
// d0, d1, ..., one per dimension; loops "<name>.d0", ...) stands before the statement of the root that holds `block`.
// The block's guard loses what asks for the buffer's bounds only; that needs a sum of products with the buffer's
// element, to which a zero adds nothing. Selects with a zero for what is outside lose it likewise. Scope: local,
// workspace or shared. Errors: NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT (before, after, scope, name),
// FAILED_PRECONDITION (the block does not read the buffer, or writes it; reads outside the zeros; a guard that must
// stay; the buffer is written at the copy's place or later).
absl::StatusOr<LoopNest> Pad(const LoopNest& nest, absl::string_view block, absl::string_view buffer,
                             const std::vector<int64_t>& before, const std::vector<int64_t>& after,
                             absl::string_view scope, absl::string_view name);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_PAD_H_
