#include "codegen/lowering/whole_vectors.h"

#include <algorithm>

#include "codegen/ir/linear_form.h"

namespace tunefleet::codegen {
namespace {

bool SaysBelow(const Expr& condition, const Expr& index, int64_t extent) {
  if (condition->kind != ExprKind::kBinary || condition->op != BinaryOp::kLess) return false;
  const LinearForm difference = LinearFormOf((condition->operands[1] - condition->operands[0]) - (Int(extent) - index));
  return difference.terms.empty() && difference.constant == 0;
}

}  // namespace

Block WithWholeVectors(Block block, const VarSet& lanes, const Expr& index, int64_t extent) {
  const auto past_end = std::find_if(block.predicate.begin(), block.predicate.end(), [&](const Expr& condition) {
    return UsesAny(condition, lanes) && SaysBelow(condition, index, extent);
  });
  if (past_end == block.predicate.end()) return block;
  const Expr condition = *past_end;
  block.predicate.erase(past_end);
  VarSet vars;
  Visit(condition, [&](const Expr& e) {
    if (e->kind == ExprKind::kVar) vars.insert(e->var);
  });
  for (Store& store : block.body) {
    store.value = Rewrite(store.value, [&](const Expr& e) {
      return e->kind == ExprKind::kLoad && UsesAny(e, vars) ? Select(condition, e, Zero(e->type)) : e;
    });
  }
  return block;
}

}  // namespace tunefleet::codegen
