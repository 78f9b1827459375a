// A producer and a consumer with a temporary in between.
#ifndef TUNEFLEET_TESTS_CODEGEN_LOWERING_TWO_BLOCKS_H_
#define TUNEFLEET_TESTS_CODEGEN_LOWERING_TWO_BLOCKS_H_

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// t[i, j] = in[i, j] * 2; out[i, j] = t[i, j] * 2. The buffers are in, out, t, in this order. `fused`: both blocks
// inside one parallel loop over i; otherwise only the producer's rows are parallel. The inner loops are j and k, or j
// and j2.
LoopNest TwoBlocks(int64_t rows, int64_t columns, bool fused, Scope scope);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_LOWERING_TWO_BLOCKS_H_
