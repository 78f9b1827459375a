#include "codegen/lowering/single_iterations.h"

#include "codegen/ir/tree.h"
#include "codegen/lowering/rewrite.h"

namespace tunefleet::codegen {

LoopNest RemoveSingleIterations(const LoopNest& nest) {
  return WithRoots(nest, [](const Stmt& root) {
    return RewriteStmts(root, [](const Stmt& stmt) -> Stmt {
      const Loop* loop = As<Loop>(stmt);
      if (loop == nullptr || ConstantInt(loop->extent) != 1) return stmt;
      return SubstituteVars(loop->body, {{loop->var, loop->begin}});
    });
  });
}

}  // namespace tunefleet::codegen
