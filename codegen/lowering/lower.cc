#include "codegen/lowering/lower.h"

#include "codegen/lowering/assign_storage.h"
#include "codegen/lowering/compact_temporaries.h"
#include "codegen/lowering/decompose_inits.h"
#include "codegen/lowering/fold_literals.h"
#include "codegen/lowering/hoist_conditions.h"
#include "codegen/lowering/parallel_loops.h"
#include "codegen/lowering/prove_predicates.h"
#include "codegen/lowering/simplify_exprs.h"
#include "codegen/lowering/single_iterations.h"
#include "codegen/lowering/substitute_iterators.h"
#include "codegen/lowering/unroll_loops.h"
#include "codegen/lowering/vector_loops.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {

absl::StatusOr<LoweredNest> Lower(const LoopNest& nest, const LoweringLimits& limits) {
  LoopNest lowered = DecomposeInits(nest);
  lowered = SubstituteIterators(lowered);
  lowered = SimplifyExprs(lowered);
  lowered = CompactTemporaries(lowered);  // on the schedule's own structure
  TF_ASSIGN_OR_RETURN(lowered, UnrollLoops(lowered, limits.max_unrolled_stores));
  lowered = SimplifyExprs(lowered);  // unrolled variables are constants now
  lowered = FoldLiterals(lowered);
  lowered = RemoveSingleIterations(lowered);
  TF_ASSIGN_OR_RETURN(lowered, NormalizeVectorLoops(lowered));
  lowered = ProvePredicates(lowered);
  lowered = HoistConditions(lowered);
  TF_RETURN_IF_ERROR(CheckLoops(lowered));
  lowered = FormTasks(lowered, limits.max_parallel_tasks_with_workspace);
  return AssignStorage(lowered, limits);
}

}  // namespace tunefleet::codegen
