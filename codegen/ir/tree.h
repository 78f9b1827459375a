// Finding and rewriting places in the tree of a loop nest.
#ifndef TUNEFLEET_CODEGEN_IR_TREE_H_
#define TUNEFLEET_CODEGEN_IR_TREE_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/interval.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The statements from the root of `prepare` or `run` down to a loop or block, which is the last. Never empty.
struct Path {
  bool in_prepare = false;
  std::vector<Stmt> stmts;

  const Stmt& target() const { return stmts.back(); }
  // The loops on the path, outermost first; the target too when it is a loop.
  std::vector<const Loop*> Loops() const;
};

// Errors: NOT_FOUND, naming what was asked for and what there is.
absl::StatusOr<Path> FindLoop(const LoopNest& nest, absl::string_view loop);
absl::StatusOr<Path> FindBlock(const LoopNest& nest, absl::string_view block);

// The nest with the path's target replaced (null: removed, with loops that become empty). Copies the path only.
LoopNest ReplaceTarget(const LoopNest& nest, const Path& path, const Stmt& replacement);

// Every block in the statement, in program order.
std::vector<const Block*> BlocksIn(const Stmt& stmt);
// Every loop in the statement, outer before inner, in program order.
std::vector<const Loop*> LoopsIn(const Stmt& stmt);

// Rewrites every statement bottom-up.
Stmt RewriteStmts(const Stmt& stmt, absl::FunctionRef<Stmt(const Stmt&)> rewrite);
// Substitutes loop variables in bindings, predicates, loop bounds and conditions (never inside block bodies).
Stmt SubstituteLoopVars(const Stmt& stmt, const VarMap& map);
// Rewrites every expression inside the block's init, body and guard (over iterators).
Block RewriteBlockExprs(Block block, absl::FunctionRef<Expr(const Expr&)> rewrite);

// Ranges of the loop variables on the path: bounds that depend on outer loops are widened to their interval.
VarRanges LoopRanges(const std::vector<const Loop*>& loops);
// Ranges of the block's iterators: their domain, narrowed by the binding's interval under `loop_ranges`.
VarRanges IterRanges(const Block& block, const VarRanges& loop_ranges);
// The block's binding of each iterator, as a substitution.
VarMap BindingsOf(const Block& block);

// Errors: ALREADY_EXISTS when a new name (loop, block or buffer) is taken, INVALID_ARGUMENT when it is empty or not
// [A-Za-z0-9_.]+.
absl::Status CheckNewName(const LoopNest& nest, absl::string_view name);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_IR_TREE_H_
