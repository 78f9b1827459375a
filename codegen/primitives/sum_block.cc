#include "codegen/primitives/sum_block.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "codegen/primitives/sites.h"

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

}  // namespace tunefleet::codegen
