// Replacing loop variables below a loop that is split, fused or cut.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_SUBSTITUTE_LOOPS_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_SUBSTITUTE_LOOPS_H_

#include "codegen/ir/interval.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Replaces loop variables in bindings, predicates and loop bounds below; what changes is simplified under `ranges` (of
// the loops around the statement), predicates that became certain are dropped. `extra` (may be null) joins every
// block's predicate, unless it follows from what is there.
Stmt SubstituteLoops(const Stmt& stmt, const VarMap& map, const Expr& extra, VarRanges ranges);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_SUBSTITUTE_LOOPS_H_
