// Removes loops of exactly one iteration: their body remains, with the variable replaced by its only value. What is
// left inside would look invariant to a compiler that then moves all of it out of the loop.
#ifndef TUNEFLEET_CODEGEN_LOWERING_SINGLE_ITERATIONS_H_
#define TUNEFLEET_CODEGEN_LOWERING_SINGLE_ITERATIONS_H_

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

LoopNest RemoveSingleIterations(const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_SINGLE_ITERATIONS_H_
