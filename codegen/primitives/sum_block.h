// Blocks that are sums: what accumulate_at and rfactor cut into partial sums.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_SUM_BLOCK_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_SUM_BLOCK_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// FAILED_PRECONDITION, naming the block.
absl::Status RefuseBlock(const Block& block, absl::string_view why);

// Errors: FAILED_PRECONDITION unless the block is a sum of one element per instance, whose init is still its own.
absl::Status CheckSum(const Block& block);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_SUM_BLOCK_H_
