// Gives every temporary its place: kLocal ones stay local where one function can hold them, the others get an offset
// into the workspace, 64-byte aligned, with one copy per task where they live inside a parallel loop.
#ifndef TUNEFLEET_CODEGEN_LOWERING_ASSIGN_STORAGE_H_
#define TUNEFLEET_CODEGEN_LOWERING_ASSIGN_STORAGE_H_

#include "codegen/lowering/lower.h"

namespace tunefleet::codegen {

// A kLocal temporary that is used both inside and outside a parallel loop moves to the workspace.
// Errors: RESOURCE_EXHAUSTED (over max_local_bytes or max_workspace_bytes).
absl::StatusOr<LoweredNest> AssignStorage(const LoopNest& nest, const LoweringLimits& limits);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_ASSIGN_STORAGE_H_
