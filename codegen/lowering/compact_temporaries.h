// Shrinks temporaries to what is live at once. A temporary lives as long as the innermost statement that contains all
// its uses; the loops around that statement do not vary during its life, so their share of the indices is subtracted
// and what remains is the shape. So an accumulator with the shape of the output becomes a register tile. Rows of a
// local one hold whole vectors: they may grow past the end that a predicate keeps lanes from.
//
// A temporary that one block alone uses carries values from instance to instance and is left as it is.
#ifndef TUNEFLEET_CODEGEN_LOWERING_COMPACT_TEMPORARIES_H_
#define TUNEFLEET_CODEGEN_LOWERING_COMPACT_TEMPORARIES_H_

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Before loops are unrolled: the statement that contains all uses is found in the scheduled nest's structure.
LoopNest CompactTemporaries(const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_COMPACT_TEMPORARIES_H_
