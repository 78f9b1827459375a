// Turns predicates into Ifs, each conjunct as far out as its variables allow: a padded tap that is skipped costs one
// branch outside the loops that do not know of it, and a register tile under one condition is tested once. Conjuncts
// over the variable of a vectorized loop stay with their block, as a lane mask.
#ifndef TUNEFLEET_CODEGEN_LOWERING_HOIST_CONDITIONS_H_
#define TUNEFLEET_CODEGEN_LOWERING_HOIST_CONDITIONS_H_

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

LoopNest HoistConditions(const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_HOIST_CONDITIONS_H_
