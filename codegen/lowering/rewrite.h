// Walking a nest whose blocks are over loop variables (after substitute_iterators).
#ifndef TUNEFLEET_CODEGEN_LOWERING_REWRITE_H_
#define TUNEFLEET_CODEGEN_LOWERING_REWRITE_H_

#include <functional>

#include "codegen/ir/interval.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Range of the loop's variable; extents that can be zero count as one. The ranges hold the outer variables.
Interval LoopRange(const Loop& loop, const VarRanges& ranges);

// Rewrites every expression (bounds, conditions, predicates, stores), given the ranges of the loop variables around it.
Stmt RewriteExprs(const Stmt& stmt, const std::function<Expr(const Expr&, const VarRanges&)>& rewrite);

// The block with every expression rewritten.
Block RewriteFlatBlock(Block block, const std::function<Expr(const Expr&)>& rewrite);

// Replaces loop variables in every expression.
Stmt SubstituteVars(const Stmt& stmt, const VarMap& map);

// Rewrites every block, given the ranges of the loop variables around it; null removes it, and loops that become empty.
Stmt RewriteBlocks(const Stmt& stmt, const std::function<Stmt(const Block&, const VarRanges&)>& rewrite);

// The same for `prepare` and `run`, which may be null.
template <typename Transform>
LoopNest WithRoots(LoopNest nest, const Transform& transform) {
  if (nest.prepare != nullptr) nest.prepare = transform(nest.prepare);
  if (nest.run != nullptr) nest.run = transform(nest.run);
  return nest;
}

// Calls `visit` on every expression of the block: predicate, indices and values of its stores.
void VisitBlockExprs(const Block& block, const std::function<void(const Expr&)>& visit);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LOWERING_REWRITE_H_
