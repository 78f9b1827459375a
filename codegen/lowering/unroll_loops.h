// Replaces every unrolled loop by its iterations. The nest that would come out is counted first.
#ifndef TUNEFLEET_CODEGEN_LOWERING_UNROLL_LOOPS_H_
#define TUNEFLEET_CODEGEN_LOWERING_UNROLL_LOOPS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Errors: FAILED_PRECONDITION (an unrolled loop without a constant extent), RESOURCE_EXHAUSTED (more than `max_stores`
// stores in `prepare` and `run` together).
absl::StatusOr<LoopNest> UnrollLoops(const LoopNest& nest, int64_t max_stores);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_UNROLL_LOOPS_H_
