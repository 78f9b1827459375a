#include "codegen/primitives/affine.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace tunefleet::codegen {
namespace {

std::optional<int64_t> DivisorOf(const Expr& expr, BinaryOp op) {
  if (expr->kind != ExprKind::kBinary || expr->op != op) return std::nullopt;
  const std::optional<int64_t> divisor = ConstantInt(expr->operands[1]);
  return divisor.has_value() && *divisor > 0 ? divisor : std::nullopt;
}

// A digit with the factor that it has in an index.
struct Term {
  Digit digit;
  int64_t coefficient = 0;
};

// Values that a sum of the terms takes, with exact bounds relative to what stands still.
struct Span {
  int64_t min = 0;
  int64_t extent = 1;
  bool dense = true;
  bool injective = true;
};

Span SpanOf(std::vector<Term> terms) {
  std::sort(terms.begin(), terms.end(),
            [](const Term& a, const Term& b) { return std::abs(a.coefficient) < std::abs(b.coefficient); });
  Span span;
  for (const auto& [digit, coefficient] : terms) {
    const int64_t last = digit.first + digit.count - 1;
    span.min += coefficient * (coefficient > 0 ? digit.first : last);
    if (digit.count == 1) continue;
    const int64_t step = std::abs(coefficient);
    if (step > span.extent) span.dense = false;
    if (step < span.extent) span.injective = false;
    span.extent += step * (digit.count - 1);
  }
  return span;
}

std::vector<Expr> DomainFacts(const Block& block) {
  std::vector<Expr> facts;
  for (const BlockIter& iter : block.iters) {
    Expr value = iter.binding;
    int64_t extent = iter.extent;
    facts.push_back(LessEqual(Int(0), value));
    facts.push_back(Less(value, Int(extent)));
    while (const std::optional<int64_t> divisor = DivisorOf(value, BinaryOp::kFloorDiv)) {
      value = value->operands[0];
      extent *= *divisor;
      facts.push_back(LessEqual(Int(0), value));
      facts.push_back(Less(value, Int(extent)));
    }
  }
  return facts;
}

}  // namespace

VarSet VarsOf(const std::vector<const Loop*>& loops) {
  VarSet vars;
  for (const Loop* loop : loops) vars.insert(loop->var);
  return vars;
}

std::optional<Interval> ConstantRange(const Loop& loop) {
  const std::optional<int64_t> begin = ConstantInt(loop.begin);
  const std::optional<int64_t> extent = ConstantInt(loop.extent);
  if (!begin.has_value() || !extent.has_value() || *extent < 1) return std::nullopt;
  return Interval{*begin, *begin + *extent - 1};
}

std::optional<Digit> DigitOf(const Expr& expr, const std::vector<const Loop*>& loops) {
  if (expr->kind == ExprKind::kVar) {
    for (const Loop* loop : loops) {
      if (loop->var != expr->var) continue;
      const std::optional<Interval> range = ConstantRange(*loop);
      if (!range.has_value()) return std::nullopt;
      return Digit{loop->var, 1, range->max - range->min + 1, range->min};
    }
    return std::nullopt;
  }
  const std::optional<int64_t> quotient = DivisorOf(expr, BinaryOp::kFloorDiv);
  const std::optional<int64_t> remainder = DivisorOf(expr, BinaryOp::kFloorMod);
  if (!quotient.has_value() && !remainder.has_value()) return std::nullopt;
  std::optional<Digit> digit = DigitOf(expr->operands[0], loops);
  if (!digit.has_value() || digit->first != 0) return std::nullopt;
  if (quotient.has_value()) {
    if (digit->count % *quotient != 0) return std::nullopt;
    digit->divisor *= *quotient;
    digit->count /= *quotient;
  } else if (*remainder < digit->count) {
    if (digit->count % *remainder != 0) return std::nullopt;
    digit->count = *remainder;
  }
  return digit;
}

Coverage CoverageOf(std::vector<Digit> digits, const Loop& loop) {
  const std::optional<Interval> range = ConstantRange(loop);
  if (!range.has_value()) return {};
  std::sort(digits.begin(), digits.end(), [](const Digit& a, const Digit& b) { return a.divisor < b.divisor; });
  Coverage coverage{true, true};
  int64_t covered = 1;  // iterations told apart by the digits so far
  for (const Digit& digit : digits) {
    if (digit.divisor % covered != 0) coverage.independent = false;
    if (digit.divisor != covered) coverage.complete = false;
    covered = digit.divisor * digit.count;
  }
  if (covered != range->max - range->min + 1) coverage.complete = false;
  coverage.complete = coverage.complete && coverage.independent;
  return coverage;
}

std::optional<Range> RangeOver(const Expr& index, const VarSet& inner, const VarRanges& ranges) {
  const LinearForm form = LinearFormOf(index);
  LinearForm begin{.terms = {}, .constant = form.constant};
  Expr nonlinear;  // parts of the begin that are no terms of `begin`
  int64_t extent = 1;
  for (const auto& [atom, coefficient] : form.terms) {
    if (!UsesAny(atom, inner)) {
      begin.terms.emplace_back(atom, coefficient);
      continue;
    }
    if (const std::optional<int64_t> divisor = DivisorOf(atom, BinaryOp::kFloorDiv)) {
      const std::optional<Range> dividend = RangeOver(atom->operands[0], inner, ranges);
      if (dividend.has_value() && !ConstantInt(dividend->begin).has_value()) {
        const int64_t steps = (dividend->extent - 1 + *divisor - 1) / *divisor;
        Expr least = FloorDiv(dividend->begin, Int(*divisor));
        if (coefficient < 0) least = least + Int(steps);
        least = least * Int(coefficient);
        nonlinear = nonlinear == nullptr ? least : nonlinear + least;
        extent += std::abs(coefficient) * steps;
        continue;
      }
    }
    const std::optional<Interval> bounds = BoundsOf(atom, ranges);
    if (!bounds.has_value()) return std::nullopt;
    begin.constant += coefficient * (coefficient > 0 ? bounds->min : bounds->max);
    extent += std::abs(coefficient) * (bounds->max - bounds->min);
  }
  const Expr linear = ToExpr(begin);
  return Range{Simplify(nonlinear == nullptr ? linear : linear + nonlinear, ranges), extent};
}

std::optional<BoxImage> ImageOf(const std::vector<Expr>& indices, const std::vector<const Loop*>& inner,
                                const VarRanges& ranges) {
  const VarSet vars = VarsOf(inner);
  BoxImage image{{}, true, true, true};
  std::vector<std::vector<Digit>> digits_of(inner.size());
  for (const Expr& index : indices) {
    const LinearForm form = LinearFormOf(Simplify(index, ranges));
    LinearForm begin{.terms = {}, .constant = form.constant};
    std::vector<Term> terms;
    for (const auto& [atom, coefficient] : form.terms) {
      if (!UsesAny(atom, vars)) {
        begin.terms.emplace_back(atom, coefficient);
        continue;
      }
      const std::optional<Digit> digit = DigitOf(atom, inner);
      if (!digit.has_value()) return std::nullopt;
      terms.push_back({*digit, coefficient});
      if (coefficient < 0) image.ascending = false;
      for (size_t i = 0; i < inner.size(); ++i) {
        if (inner[i]->var == digit->var) digits_of[i].push_back(*digit);
      }
    }
    const Span span = SpanOf(std::move(terms));
    begin.constant += span.min;
    image.box.push_back({ToExpr(begin), span.extent});
    image.dense = image.dense && span.dense;
    image.injective = image.injective && span.injective;
  }
  for (size_t i = 0; i < inner.size(); ++i) {
    const Coverage coverage = CoverageOf(digits_of[i], *inner[i]);
    if (!ConstantRange(*inner[i]).has_value()) return std::nullopt;
    image.dense = image.dense && coverage.independent;
    image.injective = image.injective && coverage.complete;
  }
  return image;
}

std::optional<int64_t> ConstantDifference(const Expr& a, const Expr& b) {
  const LinearForm form = LinearFormOf(a - b);
  return form.terms.empty() ? std::optional(form.constant) : std::nullopt;
}

std::vector<Expr> Conjuncts(const Expr& condition) {
  if (condition->kind != ExprKind::kBinary || condition->op != BinaryOp::kAnd) return {condition};
  std::vector<Expr> conjuncts = Conjuncts(condition->operands[0]);
  for (Expr& conjunct : Conjuncts(condition->operands[1])) conjuncts.push_back(std::move(conjunct));
  return conjuncts;
}

std::optional<LinearForm> NonNegativeForm(const Expr& condition) {
  if (condition->kind != ExprKind::kBinary) return std::nullopt;
  if (condition->op != BinaryOp::kLess && condition->op != BinaryOp::kLessEqual) return std::nullopt;
  const Expr& a = condition->operands[0];
  const Expr& b = condition->operands[1];
  if (a->type != ScalarType::kIndex) return std::nullopt;
  return LinearFormOf(condition->op == BinaryOp::kLess ? b - a - Int(1) : b - a);
}

// With condition g >= 0 and fact h >= 0: g < 0 means h = k g + (h - k g) <= -k + max(h - k g), which is below 0 when
// max(h - k g) < k.
bool Follows(const Expr& condition, const Expr& fact, const VarRanges& ranges) {
  const std::optional<LinearForm> g = NonNegativeForm(condition);
  const std::optional<LinearForm> h = NonNegativeForm(fact);
  if (!g.has_value() || !h.has_value() || g->terms.empty()) return false;
  const auto& [atom, coefficient] = g->terms[0];
  for (const auto& [other, factor] : h->terms) {
    if (!StructurallyEqual(atom, other)) continue;
    const int64_t k = factor / coefficient;
    if (k <= 0 || k * coefficient != factor) return false;
    const std::optional<Interval> rest = BoundsOf(ToExpr(*h) - ToExpr(*g) * Int(k), ranges);
    return rest.has_value() && rest->max < k;
  }
  return false;
}

bool FollowsFromDomain(const Expr& condition, const Block& block, const VarRanges& ranges) {
  if (ProvablyTrue(condition, ranges)) return true;
  const Expr simplified = Simplify(condition, ranges);  // loops of one iteration are in no binding
  const std::vector<Expr> facts = DomainFacts(block);
  return std::any_of(facts.begin(), facts.end(), [&](const Expr& fact) { return Follows(simplified, fact, ranges); });
}

}  // namespace tunefleet::codegen
