// parallel: the iterations of a loop run as tasks, in any order and at once.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_PARALLEL_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_PARALLEL_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Errors: NOT_FOUND, FAILED_PRECONDITION (the loop is not serial, lies inside a parallel or vectorized loop, carries a
// reduction, or its iterations write overlapping regions).
absl::StatusOr<LoopNest> Parallel(const LoopNest& nest, absl::string_view loop);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_PARALLEL_H_
