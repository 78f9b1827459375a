// What a block is sure to write.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_WRITTEN_BOX_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_WRITTEN_BOX_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "codegen/ir/loop_nest.h"
#include "codegen/primitives/sites.h"

namespace tunefleet::codegen {

// The box of the buffer that all instances of the block together write, constant. Errors: FAILED_PRECONDITION unless
// every element of it is written, with a value that depends on nothing that was there.
absl::StatusOr<std::vector<Range>> WrittenBox(const LoopNest& nest, const Site& site, int buffer);

// Errors: FAILED_PRECONDITION when elements of the constant box may be undefined, because the nest makes the buffer and
// no one block writes them all.
absl::Status CheckDefined(const LoopNest& nest, int buffer, const std::vector<Range>& box);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_WRITTEN_BOX_H_
