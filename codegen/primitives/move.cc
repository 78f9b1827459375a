#include "codegen/primitives/move.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/primitives/independence.h"
#include "codegen/primitives/sites.h"
#include "common/check.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {

absl::StatusOr<Move> FindMove(const LoopNest& nest, absl::string_view block, absl::string_view loop) {
  Move move;
  TF_ASSIGN_OR_RETURN(move.block, FindBlock(nest, block));
  TF_ASSIGN_OR_RETURN(move.loop, FindLoop(nest, loop));
  if (move.block.in_prepare != move.loop.in_prepare) {
    return Refuse(absl::StrCat("block '", block, "' and loop '", loop,
                               "' are one in prepare, the other in run; expected both in the same"));
  }
  TF_RETURN_IF_ERROR(CheckNoneVectorized(move.loop.Loops()));
  size_t i = 0;
  while (i < move.loop.stmts.size() && i < move.block.stmts.size() && move.block.stmts[i] == move.loop.stmts[i]) {
    if (const Loop* shared = As<Loop>(move.block.stmts[i])) move.shared.push_back(shared);
    ++i;
  }
  if (i == move.loop.stmts.size()) {
    return Refuse(absl::StrCat("block '", block, "' is already under loop '", loop, "', expected it beside"));
  }
  const Seq* seq = As<Seq>(move.loop.stmts[i - 1]);
  TF_CHECK(seq != nullptr, "paths part at a sequence");
  move.stmts = seq->stmts;
  const auto index_of = [seq](const Stmt& stmt) {
    return static_cast<size_t>(std::find(seq->stmts.begin(), seq->stmts.end(), stmt) - seq->stmts.begin());
  };
  move.block_index = index_of(move.block.stmts[i]);
  move.loop_index = index_of(move.loop.stmts[i]);
  return move;
}

std::vector<Stmt> BodyStmts(const Loop& loop) {
  if (const Seq* seq = As<Seq>(loop.body)) return seq->stmts;
  return {loop.body};
}

LoopNest MoveInto(const LoopNest& without_block, const Path& loop, const Stmt& placed, size_t position) {
  Loop target = *As<Loop>(loop.target());
  std::vector<Stmt> body = BodyStmts(target);
  body.insert(body.begin() + static_cast<std::ptrdiff_t>(position), placed);
  target.body = MakeSeq(std::move(body));
  return ReplaceTarget(without_block, loop, MakeStmt(std::move(target)));
}

}  // namespace tunefleet::codegen
