// Splits predicates into their smallest conjuncts, drops those that always hold and blocks that never run.
#ifndef TUNEFLEET_CODEGEN_LOWERING_PROVE_PREDICATES_H_
#define TUNEFLEET_CODEGEN_LOWERING_PROVE_PREDICATES_H_

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

LoopNest ProvePredicates(const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_PROVE_PREDICATES_H_
