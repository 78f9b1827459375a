// fuse: adjacent nested loops become one. The order of execution does not change.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_FUSE_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_FUSE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// `loops`, outermost first, each the whole body of the one before. Errors: NOT_FOUND, INVALID_ARGUMENT or
// ALREADY_EXISTS (name), FAILED_PRECONDITION (not adjacent, not serial, bounds of an inner loop not constant).
absl::StatusOr<LoopNest> Fuse(const LoopNest& nest, const std::vector<std::string>& loops, absl::string_view name);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_FUSE_H_
