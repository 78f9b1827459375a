#include "codegen/primitives/zero_padding.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "codegen/primitives/affine.h"

namespace tunefleet::codegen {
namespace {

// Whether two conditions form >= 0 hold at the same points: simplification divides by common factors.
bool SameCondition(const LinearForm& a, const LinearForm& b) {
  const auto normalised = [](LinearForm form) {
    int64_t common = 0;
    for (const auto& [atom, coefficient] : form.terms) common = std::gcd(common, std::abs(coefficient));
    if (common < 2) return form;
    for (auto& [atom, coefficient] : form.terms) coefficient /= common;
    form.constant = (form.constant - ((form.constant % common) + common) % common) / common;
    return form;
  };
  const LinearForm difference = LinearFormOf(ToExpr(normalised(a)) - ToExpr(normalised(b)));
  return difference.terms.empty() && difference.constant == 0;
}

}  // namespace

bool StaysInside(const std::vector<Expr>& indices, const ZeroPadding& padding, const VarRanges& ranges) {
  for (size_t d = 0; d < indices.size(); ++d) {
    const std::optional<Interval> bounds = BoundsOf(indices[d], ranges);
    if (!bounds.has_value() || bounds->min < -padding.before[d] || bounds->max >= padding.shape[d] + padding.after[d]) {
      return false;
    }
  }
  return true;
}

std::vector<Expr> WithoutBoundsChecks(const std::vector<Expr>& conjuncts, const std::vector<Expr>& indices,
                                      const ZeroPadding& padding) {
  std::vector<Expr> rest;
  for (const Expr& conjunct : conjuncts) {
    const std::optional<LinearForm> form = NonNegativeForm(conjunct);
    bool needless = false;
    for (size_t d = 0; form.has_value() && d < indices.size(); ++d) {
      needless = needless || SameCondition(*form, LinearFormOf(indices[d])) ||
                 SameCondition(*form, LinearFormOf(Int(padding.shape[d] - 1) - indices[d]));
    }
    if (!needless) rest.push_back(conjunct);
  }
  return rest;
}

Expr Conjunction(const std::vector<Expr>& conjuncts) {
  Expr all = Bool(true);
  for (const Expr& conjunct : conjuncts) all = And(all, conjunct);
  return all;
}

bool IsZero(const Expr& expr) {
  if (expr->kind == ExprKind::kFloat) return expr->float_value == 0;
  return ConstantInt(expr) == 0;
}

}  // namespace tunefleet::codegen
