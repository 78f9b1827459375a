// vectorize: the iterations of a loop become the lanes of vectors.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_VECTORIZE_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_VECTORIZE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Errors: NOT_FOUND, FAILED_PRECONDITION (the loop is not serial, not innermost, has no constant extent, carries a
// reduction, or its iterations write overlapping regions).
absl::StatusOr<LoopNest> Vectorize(const LoopNest& nest, absl::string_view loop);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_VECTORIZE_H_
