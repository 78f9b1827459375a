// Whether a loop nest is well-formed: what every primitive may rely on and must keep.
#ifndef TUNEFLEET_CODEGEN_IR_VALIDATOR_H_
#define TUNEFLEET_CODEGEN_IR_VALIDATOR_H_

#include "absl/status/status.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Errors: INVALID_ARGUMENT, naming the place. What can neither be proven nor refuted is accepted. Checks: names unique;
// variables used in scope only; block bodies use iterators only; types agree; index counts match buffer ranks; bindings
// stay inside iterator domains under the predicate (where interval arithmetic can tell); accesses inside declared
// regions and buffers (under the guard or a Select: over-approximation allowed); inputs and constants never written,
// outputs written; vectorized and unrolled loops have constant extents; no If.
absl::Status Validate(const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_IR_VALIDATOR_H_
