#include "codegen/lowering/substitute_iterators.h"

#include <utility>

#include "codegen/ir/tree.h"
#include "codegen/lowering/rewrite.h"

namespace tunefleet::codegen {

LoopNest SubstituteIterators(const LoopNest& nest) {
  return WithRoots(nest, [](const Stmt& root) {
    return RewriteStmts(root, [](const Stmt& stmt) -> Stmt {
      const Block* block = As<Block>(stmt);
      if (block == nullptr) return stmt;
      const VarMap bindings = BindingsOf(*block);
      Block flat = RewriteBlockExprs(*block, [&bindings](const Expr& expr) { return Substitute(expr, bindings); });
      flat.predicate.insert(flat.predicate.end(), flat.guard.begin(), flat.guard.end());
      flat.guard.clear();
      flat.iters.clear();
      flat.reads.clear();
      flat.writes.clear();
      return MakeStmt(std::move(flat));
    });
  });
}

}  // namespace tunefleet::codegen
