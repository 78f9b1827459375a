// Simplifies every expression with what the loops around it say about its variables.
#ifndef TUNEFLEET_CODEGEN_LOWERING_SIMPLIFY_EXPRS_H_
#define TUNEFLEET_CODEGEN_LOWERING_SIMPLIFY_EXPRS_H_

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

LoopNest SimplifyExprs(const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_SIMPLIFY_EXPRS_H_
