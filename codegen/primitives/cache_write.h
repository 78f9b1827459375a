// cache_write: a block writes a buffer of its own, which is copied out afterwards: accumulators.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_CACHE_WRITE_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_CACHE_WRITE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The new buffer `name` has the buffer's shape; the copy block "<name>.out" (iterators d0, d1, ..., one per dimension;
// loops "<name>.out.d0", ...) stands after the statement of the root that holds `block`, and copies what the block
// writes. Scope: local, workspace or shared. Errors: NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT (name, scope),
// FAILED_PRECONDITION (the block does not write the buffer, is not its only writer, adds to it without an init, writes
// it in part or in a way that is not a box, reads it; a reader beside the block in the same statement of the root).
absl::StatusOr<LoopNest> CacheWrite(const LoopNest& nest, absl::string_view block, absl::string_view buffer,
                                    absl::string_view scope, absl::string_view name);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_CACHE_WRITE_H_
