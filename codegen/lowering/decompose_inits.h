// Makes every init that is left a block of its own, right before the block it belongs to and under the condition that
// all reduction iterators are zero. After it no block has an init.
#ifndef TUNEFLEET_CODEGEN_LOWERING_DECOMPOSE_INITS_H_
#define TUNEFLEET_CODEGEN_LOWERING_DECOMPOSE_INITS_H_

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

LoopNest DecomposeInits(const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_DECOMPOSE_INITS_H_
