// compute_inline: a producer block disappears, its value is written out where it was read.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_COMPUTE_INLINE_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_COMPUTE_INLINE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The buffer stays in the list of buffers, unused. Errors: NOT_FOUND, FAILED_PRECONDITION (the block is more than one
// unconditional assignment to an element of a temporary at its plain iterators; another writer; no reader; what it
// reads is written between it and its readers, or in one loop with it).
absl::StatusOr<LoopNest> ComputeInline(const LoopNest& nest, absl::string_view block);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_COMPUTE_INLINE_H_
