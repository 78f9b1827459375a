// Writes block bodies over loop variables: iterators are replaced by their bindings, the guard joins the predicate (no
// init is left to tell them apart). After it blocks have no iterators, guards or regions.
#ifndef TUNEFLEET_CODEGEN_LOWERING_SUBSTITUTE_ITERATORS_H_
#define TUNEFLEET_CODEGEN_LOWERING_SUBSTITUTE_ITERATORS_H_

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

LoopNest SubstituteIterators(const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_SUBSTITUTE_ITERATORS_H_
