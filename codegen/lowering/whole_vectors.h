// Vectors that reach past the end of a register tile's rows: computed whole where what is past the end is nobody's, so
// that multiply-adds need no masks.
#ifndef TUNEFLEET_CODEGEN_LOWERING_WHOLE_VECTORS_H_
#define TUNEFLEET_CODEGEN_LOWERING_WHOLE_VECTORS_H_

#include <cstdint>

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The block, which writes one element `index` of a row of `extent` elements per lane, without those of its predicates
// over `lanes` (variables of vectorized loops) that say just index < extent: such lanes write room that the row has
// past its end. What the predicate kept loads from is Select(predicate, load, 0).
Block WithWholeVectors(Block block, const VarSet& lanes, const Expr& index, int64_t extent);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_WHOLE_VECTORS_H_
