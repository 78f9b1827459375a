// Blocks that are sums: what accumulate_at and rfactor cut into partial sums.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_SUM_BLOCK_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_SUM_BLOCK_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"
#include "codegen/ir/tree.h"

namespace tunefleet::codegen {

// FAILED_PRECONDITION, naming the block.
absl::Status RefuseBlock(const Block& block, absl::string_view why);

// Errors: FAILED_PRECONDITION unless the block is a sum of one element per instance, whose init is still its own.
absl::Status CheckSum(const Block& block);

// A block whose sum is to be cut at a loop around it, into a new buffer of the scope.
struct SumToCut {
  Path block;
  Path loop;
  Scope scope;
};
// Errors: NOT_FOUND, those of ScratchScope and of CheckNewName for `name`, FAILED_PRECONDITION (the loop is not around
// the block).
absl::StatusOr<SumToCut> FindSumToCut(const LoopNest& nest, absl::string_view block, absl::string_view loop,
                                      absl::string_view scope, absl::string_view name);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_SUM_BLOCK_H_
