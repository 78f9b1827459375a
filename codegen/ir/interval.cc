#include "codegen/ir/interval.h"

#include <algorithm>
#include <initializer_list>
#include <numeric>

#include "codegen/ir/linear_form.h"

namespace tunefleet::codegen {
namespace {

using Bounds = std::optional<Interval>;

// How many non-linear atoms are looked through while bounding one expression.
constexpr int kMaxDepth = 3;

Bounds Sum(const Bounds& a, const Bounds& b) {
  Interval sum;
  if (!a || !b || __builtin_add_overflow(a->min, b->min, &sum.min) ||
      __builtin_add_overflow(a->max, b->max, &sum.max)) {
    return std::nullopt;
  }
  return sum;
}

Bounds Product(const Bounds& a, const Bounds& b) {
  if (!a || !b) return std::nullopt;
  int64_t corners[4];
  if (__builtin_mul_overflow(a->min, b->min, &corners[0]) || __builtin_mul_overflow(a->min, b->max, &corners[1]) ||
      __builtin_mul_overflow(a->max, b->min, &corners[2]) || __builtin_mul_overflow(a->max, b->max, &corners[3])) {
    return std::nullopt;
  }
  return Interval{*std::min_element(corners, corners + 4), *std::max_element(corners, corners + 4)};
}

Bounds Scaled(const Bounds& a, int64_t factor) { return Product(a, Interval{factor, factor}); }

Bounds Quotient(const Bounds& a, const Bounds& b) {
  if (!a || !b || b->min <= 0) return std::nullopt;
  return Interval{std::min(FloorDivInt(a->min, b->min), FloorDivInt(a->min, b->max)),
                  std::max(FloorDivInt(a->max, b->min), FloorDivInt(a->max, b->max))};
}

Bounds Union(const Bounds& a, const Bounds& b) {
  if (!a || !b) return std::nullopt;
  return Interval{std::min(a->min, b->min), std::max(a->max, b->max)};
}

Bounds Intersection(const Bounds& a, const Bounds& b) {
  if (!a || !b) return a ? a : b;
  return Interval{std::max(a->min, b->min), std::min(a->max, b->max)};
}

Bounds Smaller(const Bounds& a, const Bounds& b) {
  if (!a || !b) return std::nullopt;
  return Interval{std::min(a->min, b->min), std::min(a->max, b->max)};
}

Bounds Larger(const Bounds& a, const Bounds& b) {
  if (!a || !b) return std::nullopt;
  return Interval{std::max(a->min, b->min), std::max(a->max, b->max)};
}

bool UsesAnyVarOf(const Expr& expr, const Expr& other) {
  if (other->kind == ExprKind::kVar) return UsesVar(expr, other->var);
  return std::any_of(other->operands.begin(), other->operands.end(),
                     [&expr](const Expr& operand) { return UsesAnyVarOf(expr, operand); });
}

class BoundsFinder {
 public:
  explicit BoundsFinder(const VarRanges& ranges) : ranges_(ranges) {}

  Bounds OfExpr(const Expr& expr, int depth) const {
    if (expr->type != ScalarType::kIndex) return std::nullopt;
    if (expr->kind == ExprKind::kBinary &&
        (expr->op == BinaryOp::kAdd || expr->op == BinaryOp::kSub || expr->op == BinaryOp::kMul)) {
      const LinearForm form = LinearFormOf(expr);
      if (form.terms.size() != 1 || form.terms[0].first != expr) return OfForm(form, depth);
    }
    return OfAtom(expr, depth);
  }

  Bounds OfForm(const LinearForm& form, int depth) const {
    Bounds bounds = Interval{form.constant, form.constant};
    bool linear = true;
    for (const auto& [atom, coefficient] : form.terms) {
      linear = linear && atom->kind == ExprKind::kVar;
      if (bounds) bounds = Sum(bounds, Scaled(OfAtom(atom, depth), coefficient));
    }
    if (linear || form.terms.size() < 2 || depth == 0) return bounds;
    for (size_t i = 0; i < form.terms.size(); ++i) {
      if (IsCorrelated(form, i)) bounds = Intersection(bounds, LookingThrough(form, i, depth - 1));
    }
    return bounds;
  }

 private:
  // Whether term i is not linear and shares a variable with another term, so that the sum of the terms' bounds is wide.
  static bool IsCorrelated(const LinearForm& form, size_t i) {
    const Expr& atom = form.terms[i].first;
    if (atom->kind != ExprKind::kBinary && atom->kind != ExprKind::kSelect) return false;
    for (size_t j = 0; j < form.terms.size(); ++j) {
      if (j != i && UsesAnyVarOf(form.terms[j].first, atom)) return true;
    }
    return false;
  }

  // Bounds of the form with term i written another way.
  Bounds LookingThrough(const LinearForm& form, size_t i, int depth) const {
    const Expr atom = form.terms[i].first;
    const int64_t coefficient = form.terms[i].second;
    LinearForm rest = form;
    rest.terms.erase(rest.terms.begin() + static_cast<std::ptrdiff_t>(i));
    const auto with = [&](const Expr& value) -> Bounds {
      LinearForm sum = rest;
      return AddScaled(LinearFormOf(value), coefficient, &sum) ? OfForm(sum, depth) : std::nullopt;
    };
    if (atom->kind == ExprKind::kSelect) return Union(with(atom->operands[1]), with(atom->operands[2]));
    const Expr& a = atom->operands[0];
    const Expr& b = atom->operands[1];
    switch (atom->op) {
      case BinaryOp::kMin:
        return coefficient > 0 ? Smaller(with(a), with(b)) : Larger(with(a), with(b));
      case BinaryOp::kMax:
        return coefficient > 0 ? Larger(with(a), with(b)) : Smaller(with(a), with(b));
      case BinaryOp::kFloorDiv: {  // d * (a // d) is a - a % d
        const std::optional<int64_t> divisor = ConstantDivisor(atom, BinaryOp::kFloorDiv);
        if (!divisor || coefficient % *divisor != 0) return std::nullopt;
        const int64_t factor = coefficient / *divisor;
        return AddScaled(LinearFormOf(a), factor, &rest) && AddTerm(FloorMod(a, b), -factor, &rest)
                   ? OfForm(rest, depth)
                   : std::nullopt;
      }
      case BinaryOp::kFloorMod: {  // a % d is a - d * (a // d)
        const std::optional<int64_t> divisor = ConstantDivisor(atom, BinaryOp::kFloorMod);
        int64_t factor = 0;
        if (!divisor || __builtin_mul_overflow(-*divisor, coefficient, &factor)) return std::nullopt;
        return AddScaled(LinearFormOf(a), coefficient, &rest) && AddTerm(FloorDiv(a, b), factor, &rest)
                   ? OfForm(rest, depth)
                   : std::nullopt;
      }
      default:
        return std::nullopt;
    }
  }

  Bounds OfAtom(const Expr& expr, int depth) const {
    switch (expr->kind) {
      case ExprKind::kInt:
        return Interval{expr->int_value, expr->int_value};
      case ExprKind::kVar: {
        const auto found = ranges_.find(expr->var);
        return found == ranges_.end() ? std::nullopt : Bounds(found->second);
      }
      case ExprKind::kSelect:
        return Union(OfExpr(expr->operands[1], depth), OfExpr(expr->operands[2], depth));
      case ExprKind::kBinary:
        return OfBinary(expr, depth);
      default:
        return std::nullopt;
    }
  }

  Bounds OfBinary(const Expr& expr, int depth) const {
    const Expr& a = expr->operands[0];
    const Expr& b = expr->operands[1];
    switch (expr->op) {
      case BinaryOp::kAdd:
        return Sum(OfExpr(a, depth), OfExpr(b, depth));
      case BinaryOp::kSub:
        return Sum(OfExpr(a, depth), Scaled(OfExpr(b, depth), -1));
      case BinaryOp::kMul:
        return Product(OfExpr(a, depth), OfExpr(b, depth));
      case BinaryOp::kMin:
        return Smaller(OfExpr(a, depth), OfExpr(b, depth));
      case BinaryOp::kMax:
        return Larger(OfExpr(a, depth), OfExpr(b, depth));
      case BinaryOp::kFloorDiv:
        return Quotient(OfExpr(a, depth), OfExpr(b, depth));
      case BinaryOp::kFloorMod:
        return OfRemainder(a, b, depth);
      default:
        return std::nullopt;
    }
  }

  Bounds OfRemainder(const Expr& a, const Expr& b, int depth) const {
    const Bounds divisor = OfExpr(b, depth);
    if (!divisor || divisor->min <= 0) return std::nullopt;
    Bounds bounds = Interval{0, divisor->max - 1};
    const Bounds value = OfExpr(a, depth);
    if (value && value->min >= 0) {
      bounds->max = std::min(bounds->max, value->max);
      if (value->max < divisor->min) return value;
    }
    if (divisor->min != divisor->max) return bounds;
    const int64_t d = divisor->min;
    LinearForm multiple, rest;
    SplitByDivisor(LinearFormOf(a), d, &multiple, &rest);
    const Bounds rest_bounds = OfForm(rest, depth);
    if (rest_bounds && FloorDivInt(rest_bounds->min, d) == FloorDivInt(rest_bounds->max, d)) {
      return Interval{FloorModInt(rest_bounds->min, d), FloorModInt(rest_bounds->max, d)};
    }
    int64_t step = d;
    for (const auto& [atom, coefficient] : rest.terms) step = std::gcd(step, coefficient);
    const int64_t least = rest.constant % step;
    return Intersection(bounds, Interval{least, d - step + least});
  }

  const VarRanges& ranges_;
};

// Bounds of a - b.
Bounds DifferenceBounds(const Expr& condition, const VarRanges& ranges) {
  if (condition->operands[0]->type != ScalarType::kIndex) return std::nullopt;
  const std::optional<LinearForm> form = Difference(condition->operands[0], condition->operands[1]);
  return form ? BoundsOfForm(*form, ranges) : std::nullopt;
}

enum class Truth { kUnknown, kTrue, kFalse };

Truth TruthOf(const Expr& condition, const VarRanges& ranges) {
  if (condition->kind == ExprKind::kInt) return condition->int_value != 0 ? Truth::kTrue : Truth::kFalse;
  if (condition->kind != ExprKind::kBinary) return Truth::kUnknown;
  const auto decide = [](bool is_true, bool is_false) {
    return is_true ? Truth::kTrue : is_false ? Truth::kFalse : Truth::kUnknown;
  };
  switch (condition->op) {
    case BinaryOp::kAnd:
    case BinaryOp::kOr: {
      const Truth decisive = condition->op == BinaryOp::kAnd ? Truth::kFalse : Truth::kTrue;
      const Truth a = TruthOf(condition->operands[0], ranges);
      if (a == decisive) return a;
      const Truth b = TruthOf(condition->operands[1], ranges);
      return a == b || b == decisive ? b : Truth::kUnknown;
    }
    case BinaryOp::kLess: {
      const Bounds bounds = DifferenceBounds(condition, ranges);
      return bounds ? decide(bounds->max < 0, bounds->min >= 0) : Truth::kUnknown;
    }
    case BinaryOp::kLessEqual: {
      const Bounds bounds = DifferenceBounds(condition, ranges);
      return bounds ? decide(bounds->max <= 0, bounds->min > 0) : Truth::kUnknown;
    }
    case BinaryOp::kEqual: {
      const Bounds bounds = DifferenceBounds(condition, ranges);
      return bounds ? decide(bounds->min == 0 && bounds->max == 0, bounds->min > 0 || bounds->max < 0)
                    : Truth::kUnknown;
    }
    default:
      return Truth::kUnknown;
  }
}

// Bounds first; what they leave open, the simplifier may still decide.
bool Proves(const Expr& condition, const VarRanges& ranges, Truth wanted) {
  const Truth truth = TruthOf(condition, ranges);
  if (truth != Truth::kUnknown) return truth == wanted;
  return ConstantInt(Simplify(condition, ranges)) == (wanted == Truth::kTrue ? 1 : 0);
}

}  // namespace

std::optional<Interval> BoundsOfForm(const LinearForm& form, const VarRanges& ranges) {
  return BoundsFinder(ranges).OfForm(form, kMaxDepth);
}

std::optional<Interval> BoundsOf(const Expr& expr, const VarRanges& ranges) {
  return BoundsFinder(ranges).OfExpr(expr, kMaxDepth);
}

bool ProvablyTrue(const Expr& condition, const VarRanges& ranges) { return Proves(condition, ranges, Truth::kTrue); }
bool ProvablyFalse(const Expr& condition, const VarRanges& ranges) { return Proves(condition, ranges, Truth::kFalse); }

}  // namespace tunefleet::codegen
