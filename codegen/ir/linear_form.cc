#include "codegen/ir/linear_form.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <numeric>

namespace tunefleet::codegen {
namespace {

// Adds factor * expr.
bool Accumulate(const Expr& expr, int64_t factor, LinearForm* form) {
  if (expr->kind == ExprKind::kInt) {
    int64_t value = 0;
    return !__builtin_mul_overflow(expr->int_value, factor, &value) && AddConstant(value, form);
  }
  if (expr->kind == ExprKind::kBinary) {
    const Expr& a = expr->operands[0];
    const Expr& b = expr->operands[1];
    int64_t scaled = 0;
    switch (expr->op) {
      case BinaryOp::kAdd:
        return Accumulate(a, factor, form) && Accumulate(b, factor, form);
      case BinaryOp::kSub:
        return Accumulate(a, factor, form) && !__builtin_sub_overflow(0, factor, &scaled) &&
               Accumulate(b, scaled, form);
      case BinaryOp::kMul:
        if (b->kind != ExprKind::kInt) break;
        return !__builtin_mul_overflow(b->int_value, factor, &scaled) && Accumulate(a, scaled, form);
      default:
        break;
    }
  }
  return AddTerm(expr, factor, form);
}

Expr Scaled(const Expr& atom, int64_t coefficient) { return coefficient == 1 ? atom : atom * Int(coefficient); }

}  // namespace

// Coefficients can always be negated: the least 64-bit integer counts as overflow.
bool AddTerm(const Expr& atom, int64_t coefficient, LinearForm* form) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  if (coefficient == 0) return true;
  if (coefficient == kLeast) return false;
  for (auto it = form->terms.begin(); it != form->terms.end(); ++it) {
    if (!StructurallyEqual(it->first, atom)) continue;
    if (__builtin_add_overflow(it->second, coefficient, &it->second) || it->second == kLeast) return false;
    if (it->second == 0) form->terms.erase(it);
    return true;
  }
  form->terms.emplace_back(atom, coefficient);
  return true;
}

bool AddConstant(int64_t value, LinearForm* form) {
  return !__builtin_add_overflow(form->constant, value, &form->constant);
}

bool AddScaled(const LinearForm& addend, int64_t factor, LinearForm* form) {
  int64_t scaled = 0;
  for (const auto& [atom, coefficient] : addend.terms) {
    if (__builtin_mul_overflow(coefficient, factor, &scaled) || !AddTerm(atom, scaled, form)) return false;
  }
  return !__builtin_mul_overflow(addend.constant, factor, &scaled) && AddConstant(scaled, form);
}

int64_t CoefficientOf(const LinearForm& form, const Expr& atom) {
  for (const auto& [other, coefficient] : form.terms) {
    if (StructurallyEqual(other, atom)) return coefficient;
  }
  return 0;
}

std::optional<LinearForm> Difference(const Expr& a, const Expr& b) {
  LinearForm form;
  if (!Accumulate(a, 1, &form) || !Accumulate(b, -1, &form)) return std::nullopt;
  return form;
}

void SplitByDivisor(const LinearForm& form, int64_t divisor, LinearForm* quotient, LinearForm* rest) {
  for (const auto& [atom, coefficient] : form.terms) {
    if (coefficient % divisor == 0) {
      quotient->terms.emplace_back(atom, coefficient / divisor);
    } else {
      rest->terms.emplace_back(atom, coefficient);
    }
  }
  quotient->constant = FloorDivInt(form.constant, divisor);
  rest->constant = FloorModInt(form.constant, divisor);
}

absl::InlinedVector<int64_t, 4> CommonDivisors(const LinearForm& form, int64_t modulus) {
  absl::InlinedVector<int64_t, 4> divisors;
  for (const auto& [atom, coefficient] : form.terms) {
    const int64_t divisor = std::gcd(std::abs(coefficient), modulus);
    if (divisor > 1 && std::find(divisors.begin(), divisors.end(), divisor) == divisors.end()) {
      divisors.push_back(divisor);
    }
  }
  std::sort(divisors.rbegin(), divisors.rend());
  return divisors;
}

std::optional<int64_t> ConstantDivisor(const Expr& expr, BinaryOp op) {
  if (expr->kind != ExprKind::kBinary || expr->op != op) return std::nullopt;
  const Expr& divisor = expr->operands[1];
  if (divisor->kind != ExprKind::kInt || divisor->int_value <= 0) return std::nullopt;
  return divisor->int_value;
}

LinearForm LinearFormOf(const Expr& expr) {
  LinearForm form;
  if (Accumulate(expr, 1, &form)) return form;
  LinearForm atom;
  atom.terms.emplace_back(expr, 1);
  return atom;
}

// Positive terms first, then what is subtracted, the constant last: 16*a - b + 3.
Expr ToExpr(const LinearForm& form) {
  Expr sum;
  for (const auto& [atom, coefficient] : form.terms) {
    if (coefficient < 0) continue;
    sum = sum == nullptr ? Scaled(atom, coefficient) : sum + Scaled(atom, coefficient);
  }
  const bool constant_leads = sum == nullptr && (form.constant > 0 || form.terms.empty());
  if (constant_leads) sum = Int(form.constant);
  for (const auto& [atom, coefficient] : form.terms) {
    if (coefficient > 0) continue;
    sum = sum == nullptr ? Scaled(atom, coefficient) : sum - Scaled(atom, -coefficient);
  }
  return constant_leads || form.constant == 0 ? sum : sum + Int(form.constant);
}

}  // namespace tunefleet::codegen
