// Lowering: from a scheduled loop nest to what a code generator accepts, as a list of passes that reads top to bottom.
//
// A lowered nest keeps the grammar of codegen/ir/loop_nest.h with these promises:
//   - blocks have no iterators, no init and no guard: bodies are over loop variables, predicates became Ifs (hoisted as
//     far out as their variables allow) or, where they depend on a vectorized loop, stay as the block's predicate (a
//     lane mask);
//   - no unrolled loops; vectorized loops are innermost, run from 0 to a constant, and hold blocks and Ifs only; no
//     parallel loop is inside another;
//   - temporaries are shrunk to the region that is live at the innermost statement around all their uses, indices made
//     relative to it; kLocal ones are meant for registers or stack, the others have an offset into the workspace;
//   - index expressions are simplified.
#ifndef TUNEFLEET_CODEGEN_LOWERING_LOWER_H_
#define TUNEFLEET_CODEGEN_LOWERING_LOWER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

struct LoweringLimits {
  int64_t max_unrolled_stores = 8192;  // after unrolling: larger nests are refused before they are built
  int64_t max_local_bytes = 64 << 10;  // of all kLocal buffers together
  int64_t max_workspace_bytes = int64_t{1} << 30;
  // A workspace buffer inside a parallel loop has one copy per task; with more iterations than this, several of them
  // share a task and run one after the other.
  int max_parallel_tasks_with_workspace = 256;
};

struct LoweredNest {
  LoopNest nest;
  std::vector<int64_t> workspace_offsets;  // bytes, per buffer; -1: not in the workspace
  std::vector<int64_t>
      workspace_task_stride;  // bytes between the copies of successive parallel tasks, per buffer; 0: one copy
  int64_t workspace_bytes = 0;
};

// Errors: FAILED_PRECONDITION (illegal nest, e.g. a vectorized loop that carries a reduction or has loops inside),
// RESOURCE_EXHAUSTED (over a limit).
absl::StatusOr<LoweredNest> Lower(const LoopNest& nest, const LoweringLimits& limits = {});

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_LOWER_H_
