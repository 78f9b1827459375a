#include "codegen/lowering/prove_predicates.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "codegen/lowering/rewrite.h"

namespace tunefleet::codegen {
namespace {

// A sum of non-negative terms is zero exactly when each of them is: co == 0 and ci == 0 can be tested at loops of their
// own. Nullopt when the condition is not of this kind.
std::optional<std::vector<Expr>> SplitZeroSum(const Expr& condition, const VarRanges& ranges) {
  if (condition->kind != ExprKind::kBinary || condition->op != BinaryOp::kEqual ||
      condition->operands[0]->type != ScalarType::kIndex) {
    return std::nullopt;
  }
  LinearForm form = LinearFormOf(condition->operands[0] - condition->operands[1]);
  if (form.constant != 0 || form.terms.size() < 2) return std::nullopt;
  const bool negative = form.terms[0].second < 0;
  std::vector<Expr> conjuncts;
  for (const auto& [atom, coefficient] : form.terms) {
    const std::optional<Interval> bounds = BoundsOf(atom, ranges);
    if ((coefficient < 0) != negative || !bounds.has_value() || bounds->min < 0) return std::nullopt;
    conjuncts.push_back(Equal(atom, Int(0)));
  }
  return conjuncts;
}

void AddConjuncts(const Expr& condition, const VarRanges& ranges, std::vector<Expr>* conjuncts) {
  if (condition->kind == ExprKind::kBinary && condition->op == BinaryOp::kAnd) {
    AddConjuncts(condition->operands[0], ranges, conjuncts);
    AddConjuncts(condition->operands[1], ranges, conjuncts);
    return;
  }
  if (const auto split = SplitZeroSum(condition, ranges)) {
    for (const Expr& conjunct : *split) AddConjuncts(conjunct, ranges, conjuncts);
    return;
  }
  const bool known = std::any_of(conjuncts->begin(), conjuncts->end(),
                                 [&](const Expr& other) { return StructurallyEqual(other, condition); });
  if (!known && !ProvablyTrue(condition, ranges)) conjuncts->push_back(condition);
}

}  // namespace

LoopNest ProvePredicates(const LoopNest& nest) {
  return WithRoots(nest, [](const Stmt& root) {
    return RewriteBlocks(root, [](const Block& block, const VarRanges& ranges) -> Stmt {
      Block copy = block;
      copy.predicate.clear();
      for (const Expr& condition : block.predicate) AddConjuncts(condition, ranges, &copy.predicate);
      for (const Expr& condition : copy.predicate) {
        if (ProvablyFalse(condition, ranges)) return nullptr;
      }
      return MakeStmt(std::move(copy));
    });
  });
}

}  // namespace tunefleet::codegen
