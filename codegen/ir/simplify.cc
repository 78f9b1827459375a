// The simplifier: every index expression becomes a linear form whose atoms are simplified; // and % by a positive
// constant are taken apart on that form.
#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

#include "codegen/ir/interval.h"
#include "codegen/ir/linear_form.h"

namespace tunefleet::codegen {
namespace {

constexpr int kMaxMerges = 8;

LinearForm Constant(int64_t value) {
  LinearForm form;
  form.constant = value;
  return form;
}

LinearForm Atom(const Expr& expr) {
  LinearForm form;
  form.terms.emplace_back(expr, 1);
  return form;
}

bool IsSingleAtom(const LinearForm& form) {
  return form.terms.size() == 1 && form.terms[0].second == 1 && form.constant == 0;
}

class Simplifier {
 public:
  explicit Simplifier(const VarRanges& ranges) : ranges_(ranges) {}

  Expr Run(const Expr& expr) const {
    Expr result = expr;
    switch (expr->kind) {
      case ExprKind::kInt:
      case ExprKind::kFloat:
        return expr;
      case ExprKind::kVar:
        return RunVar(expr);
      case ExprKind::kBinary:
        if (expr->type == ScalarType::kIndex) {
          result = ToExpr(FormOf(expr));
        } else if (expr->type == ScalarType::kBool) {
          result = RunCondition(expr);
        } else {
          return RunOperands(expr);
        }
        break;
      case ExprKind::kSelect:
        return RunSelect(expr);
      case ExprKind::kCast:
      case ExprKind::kLoad:
        return RunOperands(expr);
    }
    return StructurallyEqual(result, expr) ? expr : result;
  }

 private:
  Expr RunVar(const Expr& expr) const {
    const auto found = ranges_.find(expr->var);
    return found != ranges_.end() && found->second.min == found->second.max ? Int(found->second.min) : expr;
  }

  Expr RunOperands(const Expr& expr) const {
    std::vector<Expr> operands;
    operands.reserve(expr->operands.size());
    bool changed = false;
    for (const Expr& operand : expr->operands) {
      operands.push_back(Run(operand));
      changed = changed || operands.back() != operand;
    }
    if (!changed) return expr;
    if (expr->kind == ExprKind::kCast) return Cast(expr->type, operands[0]);
    if (expr->kind == ExprKind::kLoad) return Load(expr->buffer, expr->type, std::move(operands));
    return Binary(expr->op, operands[0], operands[1]);
  }

  Expr RunSelect(const Expr& expr) const {
    const Expr condition = Run(expr->operands[0]);
    if (const std::optional<int64_t> constant = ConstantInt(condition)) return Run(expr->operands[*constant ? 1 : 2]);
    const Expr then_value = Run(expr->operands[1]);
    const Expr else_value = Run(expr->operands[2]);
    if (StructurallyEqual(then_value, else_value)) return then_value;
    if (condition == expr->operands[0] && then_value == expr->operands[1] && else_value == expr->operands[2]) {
      return expr;
    }
    return Select(condition, then_value, else_value);
  }

  // The simplified linear form of an index expression.
  LinearForm FormOf(const Expr& expr) const {
    LinearForm form;
    if (!Accumulate(expr, 1, &form)) return Atom(expr);
    for (int i = 0; i < kMaxMerges && Merge(&form); ++i) {
    }
    return form;
  }

  bool Accumulate(const Expr& expr, int64_t factor, LinearForm* form) const {
    if (expr->kind == ExprKind::kInt) return AddScaled(Constant(expr->int_value), factor, form);
    if (expr->kind == ExprKind::kVar) {
      const auto found = ranges_.find(expr->var);
      if (found == ranges_.end() || found->second.min != found->second.max) return AddTerm(expr, factor, form);
      return AddScaled(Constant(found->second.min), factor, form);
    }
    if (expr->kind == ExprKind::kBinary) {
      const Expr& a = expr->operands[0];
      const Expr& b = expr->operands[1];
      if (expr->op == BinaryOp::kAdd) return Accumulate(a, factor, form) && Accumulate(b, factor, form);
      if (expr->op == BinaryOp::kSub) {
        int64_t negated = 0;
        return Accumulate(a, factor, form) && !__builtin_sub_overflow(0, factor, &negated) &&
               Accumulate(b, negated, form);
      }
      return AddScaled(FormOfNonLinear(expr), factor, form);
    }
    return AddScaled(LinearFormOf(Run(expr)), factor, form);
  }

  LinearForm FormOfNonLinear(const Expr& expr) const {
    const LinearForm a = FormOf(expr->operands[0]);
    const LinearForm b = FormOf(expr->operands[1]);
    switch (expr->op) {
      case BinaryOp::kMul: {
        LinearForm product;
        if (b.terms.empty() && AddScaled(a, b.constant, &product)) return product;
        product = {};
        if (a.terms.empty() && AddScaled(b, a.constant, &product)) return product;
        break;
      }
      case BinaryOp::kFloorDiv:
        if (b.terms.empty() && b.constant > 0) return Divide(a, b.constant);
        break;
      case BinaryOp::kFloorMod:
        if (b.terms.empty() && b.constant > 0) return Remainder(a, b.constant);
        break;
      case BinaryOp::kMin:
      case BinaryOp::kMax:
        return Extremum(expr->op, a, b);
      default:
        break;
    }
    return LinearFormOf(Binary(expr->op, ToExpr(a), ToExpr(b)));
  }

  // The multiple q of `modulus` such that every value of the form lies in [q * modulus, (q + 1) * modulus).
  std::optional<int64_t> CommonQuotient(const LinearForm& form, int64_t modulus) const {
    const std::optional<Interval> bounds = BoundsOfForm(form, ranges_);
    if (!bounds) return std::nullopt;
    const int64_t quotient = FloorDivInt(bounds->min, modulus);
    return quotient == FloorDivInt(bounds->max, modulus) ? std::optional(quotient) : std::nullopt;
  }

  // Splits into divisor * multiple + rest with every value of rest in [0, divisor). False: cannot.
  bool SplitDigits(const LinearForm& form, int64_t divisor, LinearForm* multiple, LinearForm* rest) const {
    SplitByDivisor(form, divisor, multiple, rest);
    const std::optional<int64_t> quotient = CommonQuotient(*rest, divisor);
    int64_t shift = 0;
    return quotient && !__builtin_mul_overflow(-*quotient, divisor, &shift) && AddConstant(*quotient, multiple) &&
           AddConstant(shift, rest);
  }

  // form // divisor
  LinearForm Divide(const LinearForm& form, int64_t divisor) const {
    if (divisor == 1) return form;
    LinearForm quotient, rest;
    SplitByDivisor(form, divisor, &quotient, &rest);
    if (AddScaled(DivideRest(rest, divisor), 1, &quotient)) return quotient;
    return Atom(FloorDiv(ToExpr(form), Int(divisor)));
  }

  // The same for a form none of whose coefficients the divisor divides, with a constant in [0, divisor).
  LinearForm DivideRest(const LinearForm& rest, int64_t divisor) const {
    if (const std::optional<int64_t> quotient = CommonQuotient(rest, divisor)) return Constant(*quotient);
    for (const int64_t common : CommonDivisors(rest, divisor)) {
      LinearForm multiple, digits;
      if (SplitDigits(rest, common, &multiple, &digits)) return Divide(multiple, divisor / common);
    }
    if (rest.terms.size() == 1 && rest.terms[0].second == 1) {
      const Expr& atom = rest.terms[0].first;
      int64_t product = 0;
      int64_t offset = 0;
      if (const std::optional<int64_t> inner = ConstantDivisor(atom, BinaryOp::kFloorDiv);
          inner && !__builtin_mul_overflow(*inner, divisor, &product) &&
          !__builtin_mul_overflow(*inner, rest.constant, &offset)) {
        LinearForm dividend = LinearFormOf(atom->operands[0]);
        if (AddConstant(offset, &dividend)) return Divide(dividend, product);
      }
      if (const std::optional<int64_t> inner = ConstantDivisor(atom, BinaryOp::kFloorMod);
          inner && rest.constant == 0 && *inner % divisor == 0) {
        return Remainder(Divide(LinearFormOf(atom->operands[0]), divisor), *inner / divisor);
      }
    }
    return Atom(FloorDiv(ToExpr(rest), Int(divisor)));
  }

  // form % divisor
  LinearForm Remainder(const LinearForm& form, int64_t divisor) const {
    if (divisor == 1) return Constant(0);
    LinearForm multiple, rest;
    if (SplitDigits(form, divisor, &multiple, &rest)) return rest;
    rest = WithoutInnerRemainders(form, divisor);
    multiple = {};
    LinearForm reduced;
    SplitByDivisor(rest, divisor, &multiple, &reduced);
    for (auto& [atom, coefficient] : reduced.terms) coefficient %= divisor;
    multiple = {};
    rest = {};
    if (SplitDigits(reduced, divisor, &multiple, &rest)) return rest;
    for (const int64_t common : CommonDivisors(reduced, divisor)) {
      LinearForm upper, digits;
      if (!SplitDigits(reduced, common, &upper, &digits)) continue;
      if (AddScaled(Remainder(upper, divisor / common), common, &digits)) return digits;
    }
    return Atom(FloorMod(ToExpr(reduced), Int(divisor)));
  }

  // x in place of x % m where that changes nothing modulo `divisor`.
  static LinearForm WithoutInnerRemainders(const LinearForm& form, int64_t divisor) {
    LinearForm result = Constant(form.constant);
    for (const auto& [atom, coefficient] : form.terms) {
      const std::optional<int64_t> inner = ConstantDivisor(atom, BinaryOp::kFloorMod);
      int64_t step = 0;
      const bool vanishes = inner && !__builtin_mul_overflow(*inner, coefficient, &step) && step % divisor == 0;
      if (!AddScaled(vanishes ? LinearFormOf(atom->operands[0]) : Atom(atom), coefficient, &result)) return form;
    }
    return result;
  }

  LinearForm Extremum(BinaryOp op, const LinearForm& a, const LinearForm& b) const {
    LinearForm difference = a;
    if (AddScaled(b, -1, &difference)) {
      const std::optional<Interval> bounds = BoundsOfForm(difference, ranges_);
      if (bounds && bounds->max <= 0) return op == BinaryOp::kMin ? a : b;
      if (bounds && bounds->min >= 0) return op == BinaryOp::kMin ? b : a;
    }
    if (b.terms.empty() && IsSingleAtom(a)) {  // min(min(x, 3), 5)
      const Expr& inner = a.terms[0].first;
      if (inner->kind == ExprKind::kBinary && inner->op == op) {
        if (const std::optional<int64_t> constant = ConstantInt(inner->operands[1])) {
          const int64_t limit =
              op == BinaryOp::kMin ? std::min(*constant, b.constant) : std::max(*constant, b.constant);
          return Atom(Binary(op, inner->operands[0], Int(limit)));
        }
      }
    }
    return Atom(Binary(op, ToExpr(a), ToExpr(b)));
  }

  // k*d*(x // d) + k*(x % d) is k*x, and k*x - k*d*(x // d) is k*(x % d). True when the form changed.
  bool Merge(LinearForm* form) const {
    if (form->terms.size() < 2) return false;
    for (const auto& [atom, coefficient] : form->terms) {
      LinearForm merged;
      if (const std::optional<int64_t> divisor = ConstantDivisor(atom, BinaryOp::kFloorMod)) {
        const LinearForm dividend = LinearFormOf(atom->operands[0]);
        const LinearForm quotient = Divide(dividend, *divisor);
        int64_t factor = 0;
        if (__builtin_mul_overflow(coefficient, *divisor, &factor) || !Contains(*form, quotient, factor)) continue;
        merged = *form;
        if (!AddScaled(quotient, -factor, &merged) || !AddTerm(atom, -coefficient, &merged) ||
            !AddScaled(dividend, coefficient, &merged)) {
          continue;
        }
      } else if (const std::optional<int64_t> divisor = ConstantDivisor(atom, BinaryOp::kFloorDiv)) {
        if (coefficient % *divisor != 0) continue;
        const int64_t factor = -(coefficient / *divisor);
        const LinearForm dividend = LinearFormOf(atom->operands[0]);
        if (!Contains(*form, dividend, factor)) continue;
        merged = *form;
        if (!AddScaled(dividend, -factor, &merged) || !AddTerm(atom, -coefficient, &merged) ||
            !AddScaled(Remainder(dividend, *divisor), factor, &merged)) {
          continue;
        }
      } else {
        continue;
      }
      *form = std::move(merged);
      return true;
    }
    return false;
  }

  // Whether every term of factor * part is a term of the form.
  static bool Contains(const LinearForm& form, const LinearForm& part, int64_t factor) {
    if (part.terms.empty()) return false;
    for (const auto& [atom, coefficient] : part.terms) {
      int64_t scaled = 0;
      if (__builtin_mul_overflow(coefficient, factor, &scaled) || CoefficientOf(form, atom) != scaled) return false;
    }
    return true;
  }

  Expr RunCondition(const Expr& expr) const {
    if (expr->op == BinaryOp::kAnd || expr->op == BinaryOp::kOr) {
      const Expr a = Run(expr->operands[0]);
      const Expr b = Run(expr->operands[1]);
      return StructurallyEqual(a, b) ? a : Binary(expr->op, a, b);
    }
    if (expr->operands[0]->type != ScalarType::kIndex) return RunOperands(expr);
    LinearForm difference = FormOf(expr->operands[0]);
    if (!AddScaled(FormOf(expr->operands[1]), -1, &difference)) return RunOperands(expr);
    for (int i = 0; i < kMaxMerges && Merge(&difference); ++i) {
    }
    if (expr->op == BinaryOp::kEqual) return EqualToZero(std::move(difference));
    const int64_t most = expr->op == BinaryOp::kLess ? -1 : 0;  // of the difference
    int64_t limit = 0;
    if (__builtin_sub_overflow(most, difference.constant, &limit)) return RunOperands(expr);
    difference.constant = 0;
    return AtMost(std::move(difference), limit);
  }

  // terms <= limit; the form's constant is 0.
  Expr AtMost(LinearForm form, int64_t limit) const {
    while (!form.terms.empty()) {
      if (const std::optional<Interval> bounds = BoundsOfForm(form, ranges_)) {
        if (bounds->max <= limit) return Bool(true);
        if (bounds->min > limit) return Bool(false);
      }
      if (!DropDigits(&form, &limit) && !DropDivision(&form, &limit)) break;
    }
    if (form.terms.empty()) return Bool(0 <= limit);
    if (limit == std::numeric_limits<int64_t>::max() || limit == std::numeric_limits<int64_t>::min()) {
      return LessEqual(ToExpr(form), Int(limit));
    }
    LinearForm positive, negative;
    SplitBySign(form, &positive, &negative);
    if (positive.terms.empty()) return LessEqual(Int(-limit), ToExpr(negative));
    negative.constant = limit + 1;
    return Less(ToExpr(positive), ToExpr(negative));
  }

  // g*u + v <= limit is u <= q when floor((limit - v) / g) is q for every v. True when the form changed.
  bool DropDigits(LinearForm* form, int64_t* limit) const {
    for (const int64_t common : CommonDivisors(*form, 0)) {
      LinearForm multiple, rest;
      SplitByDivisor(*form, common, &multiple, &rest);
      const std::optional<Interval> bounds = BoundsOfForm(rest, ranges_);
      int64_t most = 0;
      int64_t least = 0;
      if (!bounds || __builtin_sub_overflow(*limit, bounds->min, &most) ||
          __builtin_sub_overflow(*limit, bounds->max, &least)) {
        continue;
      }
      if (FloorDivInt(most, common) != FloorDivInt(least, common)) continue;
      *form = std::move(multiple);
      *limit = FloorDivInt(most, common);
      return true;
    }
    return false;
  }

  // x // d <= limit is x <= limit*d + d - 1, and -(x // d) <= limit is -x <= limit*d. True when the form changed.
  static bool DropDivision(LinearForm* form, int64_t* limit) {
    if (form->terms.size() != 1) return false;
    const Expr atom = form->terms[0].first;
    const int64_t sign = form->terms[0].second;
    const std::optional<int64_t> divisor = ConstantDivisor(atom, BinaryOp::kFloorDiv);
    if (!divisor || (sign != 1 && sign != -1)) return false;
    int64_t scaled = 0;
    if (__builtin_mul_overflow(*limit, *divisor, &scaled)) return false;
    if (sign == 1 && __builtin_add_overflow(scaled, *divisor - 1, &scaled)) return false;
    LinearForm dividend;
    if (!AddScaled(LinearFormOf(atom->operands[0]), sign, &dividend)) return false;
    if (__builtin_sub_overflow(scaled, dividend.constant, &scaled)) return false;
    dividend.constant = 0;
    *form = std::move(dividend);
    *limit = scaled;
    return true;
  }

  Expr EqualToZero(LinearForm form) const {
    if (form.terms.empty()) return Bool(form.constant == 0);
    if (const std::optional<Interval> bounds = BoundsOfForm(form, ranges_)) {
      if (bounds->min > 0 || bounds->max < 0) return Bool(false);
      if (bounds->min == 0 && bounds->max == 0) return Bool(true);
    }
    LinearForm terms = form;
    terms.constant = 0;
    for (const int64_t common : CommonDivisors(terms, 0)) {
      LinearForm multiple, rest;
      SplitByDivisor(form, common, &multiple, &rest);
      if (!rest.terms.empty()) continue;
      if (rest.constant != 0) return Bool(false);
      form = std::move(multiple);
      break;
    }
    LinearForm positive, negative;
    SplitBySign(form, &positive, &negative);
    if (form.constant == std::numeric_limits<int64_t>::min()) return Equal(ToExpr(form), Int(0));
    if (positive.terms.empty()) return Equal(ToExpr(negative), Int(form.constant));
    negative.constant = -form.constant;
    return Equal(ToExpr(positive), ToExpr(negative));
  }

  // The terms as positive - negative, both with positive coefficients and no constant.
  static void SplitBySign(const LinearForm& form, LinearForm* positive, LinearForm* negative) {
    for (const auto& [atom, coefficient] : form.terms) {
      if (coefficient > 0) {
        positive->terms.emplace_back(atom, coefficient);
      } else {
        negative->terms.emplace_back(atom, -coefficient);
      }
    }
  }

  const VarRanges& ranges_;
};

}  // namespace

Expr Simplify(const Expr& expr, const VarRanges& ranges) { return Simplifier(ranges).Run(expr); }

}  // namespace tunefleet::codegen
