// Vectorized loops: brought into the form that code generators accept, and checked for being what they claim.
#ifndef TUNEFLEET_CODEGEN_LOWERING_VECTOR_LOOPS_H_
#define TUNEFLEET_CODEGEN_LOWERING_VECTOR_LOOPS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Lets every vectorized loop begin at 0.
// Errors: FAILED_PRECONDITION (an extent that is not a positive constant, or past 1024 lanes).
absl::StatusOr<LoopNest> NormalizeVectorLoops(const LoopNest& nest);

// Running all lanes of one store before the next must give what running lane by lane gives: a vectorized loop holds
// blocks and Ifs only, every store goes to a different element in each lane, and no lane reads or writes what another
// one writes. Loops of other kinds are serial or parallel.
// Errors: FAILED_PRECONDITION.
absl::Status CheckLoops(const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_VECTOR_LOOPS_H_
