// cache_read: a block reads a copy of a buffer, which can then be packed, placed and kept close.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_CACHE_READ_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_CACHE_READ_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The new buffer `name` has the buffer's shape; the copy block `name` (iterators d0, d1, ..., one per dimension; loops
// "<name>.d0", ...) copies the box that the block reads and stands before the statement of the root that holds `block`.
// Scope: local, workspace or shared. Errors: NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT (name, scope),
// FAILED_PRECONDITION (the block does not read the buffer, or writes it; the buffer is written at the copy's place or
// later, or not wholly).
absl::StatusOr<LoopNest> CacheRead(const LoopNest& nest, absl::string_view block, absl::string_view buffer,
                                   absl::string_view scope, absl::string_view name);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_CACHE_READ_H_
