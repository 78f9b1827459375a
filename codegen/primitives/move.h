// What compute_at and reverse_compute_at share: where a block and the loop that it moves under part ways.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_MOVE_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_MOVE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"
#include "codegen/ir/tree.h"

namespace tunefleet::codegen {

struct Move {
  Path block;
  Path loop;
  std::vector<const Loop*> shared;  // around both
  std::vector<Stmt> stmts;          // of the sequence in which they stand
  size_t block_index = 0;           // the statement that holds the block
  size_t loop_index = 0;            // the statement that holds the loop
};

// Errors: NOT_FOUND, FAILED_PRECONDITION (one in `prepare`, the other in `run`; the loop is already around the block; a
// vectorized loop).
absl::StatusOr<Move> FindMove(const LoopNest& nest, absl::string_view block, absl::string_view loop);

// The nest with the block taken out and `placed` put into the loop's body, before statement `position` of it.
LoopNest MoveInto(const LoopNest& without_block, const Path& loop, const Stmt& placed, size_t position);
// The statements of a loop's body.
std::vector<Stmt> BodyStmts(const Loop& loop);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_MOVE_H_
