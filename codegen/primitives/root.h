// The root of `prepare` or `run` as a list of statements, where cache_read, cache_write and pad put their copies.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_ROOT_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_ROOT_H_

#include "absl/status/status.h"
#include "codegen/ir/loop_nest.h"
#include "codegen/ir/tree.h"

namespace tunefleet::codegen {

// Errors: FAILED_PRECONDITION when a statement of the root at or after the one that holds the path's target writes the
// buffer, so that it cannot be copied before.
absl::Status CheckWrittenBefore(const LoopNest& nest, const Path& path, int buffer);
// Errors: FAILED_PRECONDITION when a block beside the target, in the same statement of the root, reads the buffer, so
// that it cannot be copied after.
absl::Status CheckReadAfter(const LoopNest& nest, const Path& path, int buffer);

enum class Place { kBefore, kAfter };
// The nest with the path's target replaced, and `stmt` put before or after the root statement that holds it.
LoopNest ReplaceAndPlace(const LoopNest& nest, const Path& path, const Stmt& replacement, const Stmt& stmt,
                         Place place);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_ROOT_H_
