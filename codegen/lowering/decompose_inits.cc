#include "codegen/lowering/decompose_inits.h"

#include <utility>

#include "codegen/ir/tree.h"
#include "codegen/lowering/rewrite.h"

namespace tunefleet::codegen {

LoopNest DecomposeInits(const LoopNest& nest) {
  return WithRoots(nest, [](const Stmt& root) {
    return RewriteStmts(root, [](const Stmt& stmt) -> Stmt {
      const Block* block = As<Block>(stmt);
      if (block == nullptr || block->init.empty()) return stmt;
      Block init = *block;
      init.name += ".init";
      init.body = std::move(init.init);
      init.init.clear();
      init.guard.clear();
      for (const BlockIter& iter : block->iters) {
        if (iter.kind == IterKind::kReduction) init.guard.push_back(Equal(VarRef(iter.var), Int(0)));
      }
      Block update = *block;
      update.init.clear();
      return MakeSeq({MakeStmt(std::move(init)), MakeStmt(std::move(update))});
    });
  });
}

}  // namespace tunefleet::codegen
