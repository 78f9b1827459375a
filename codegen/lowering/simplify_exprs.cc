#include "codegen/lowering/simplify_exprs.h"

#include "codegen/lowering/rewrite.h"

namespace tunefleet::codegen {

LoopNest SimplifyExprs(const LoopNest& nest) {
  return WithRoots(nest, [](const Stmt& root) { return RewriteExprs(root, Simplify); });
}

}  // namespace tunefleet::codegen
