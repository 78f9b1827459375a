// unroll: the body of a loop is repeated once per iteration. The order of execution does not change.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_UNROLL_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_UNROLL_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Errors: NOT_FOUND, FAILED_PRECONDITION (the loop is not serial or has no constant extent).
absl::StatusOr<LoopNest> Unroll(const LoopNest& nest, absl::string_view loop);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_UNROLL_H_
