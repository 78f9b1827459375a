#include "codegen/primitives/sum_block.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/primitives/sites.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {

absl::Status RefuseBlock(const Block& block, absl::string_view why) {
  return Refuse(absl::StrCat("block '", block.name, "': ", why));
}

absl::Status CheckSum(const Block& block) {
  if (block.init.empty()) return RefuseBlock(block, "it has no init (or it is decomposed already)");
  if (block.init.size() != 1 || block.body.size() != 1 || block.body[0].op != StoreOp::kAdd ||
      !std::equal(block.init[0].indices.begin(), block.init[0].indices.end(), block.body[0].indices.begin(),
                  block.body[0].indices.end(), StructurallyEqual)) {
    return RefuseBlock(block, "expected one sum into one element");
  }
  for (const BlockIter& iter : block.iters) {
    if (iter.kind == IterKind::kOrdered) return RefuseBlock(block, "it has an ordered iterator, expected a sum");
    if (iter.kind == IterKind::kSpatial) continue;
    bool varies = UsesVar(block.init[0].value, iter.var);
    for (const Expr& index : block.init[0].indices) varies = varies || UsesVar(index, iter.var);
    if (varies) return RefuseBlock(block, "its element or init depends on a reduction iterator");
  }
  return absl::OkStatus();
}

absl::StatusOr<SumToCut> FindSumToCut(const LoopNest& nest, absl::string_view block, absl::string_view loop,
                                      absl::string_view scope, absl::string_view name) {
  TF_ASSIGN_OR_RETURN(Path path, FindBlock(nest, block));
  TF_ASSIGN_OR_RETURN(Path loop_path, FindLoop(nest, loop));
  TF_ASSIGN_OR_RETURN(const Scope new_scope, ScratchScope(scope));
  TF_RETURN_IF_ERROR(CheckNewName(nest, name));
  if (std::find(path.stmts.begin(), path.stmts.end(), loop_path.target()) == path.stmts.end()) {
    return RefuseBlock(*As<Block>(path.target()), absl::StrCat("loop '", loop, "' is not around it"));
  }
  return SumToCut{std::move(path), std::move(loop_path), new_scope};
}

}  // namespace tunefleet::codegen
