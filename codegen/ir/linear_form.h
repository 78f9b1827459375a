// Arithmetic on linear forms that notices overflow, for the rest of this folder. Functions that return bool leave a
// half-done form behind when they return false: a coefficient or the constant passed 64 bits.
#ifndef TUNEFLEET_CODEGEN_IR_LINEAR_FORM_H_
#define TUNEFLEET_CODEGEN_IR_LINEAR_FORM_H_

#include <cstdint>
#include <optional>

#include "codegen/ir/interval.h"

namespace tunefleet::codegen {

bool AddTerm(const Expr& atom, int64_t coefficient, LinearForm* form);
bool AddConstant(int64_t value, LinearForm* form);
bool AddScaled(const LinearForm& addend, int64_t factor, LinearForm* form);

// 0 when the atom is not there.
int64_t CoefficientOf(const LinearForm& form, const Expr& atom);

// a - b; nullopt on overflow.
std::optional<LinearForm> Difference(const Expr& a, const Expr& b);

// form == divisor * quotient + rest: `quotient` has the terms whose coefficients the divisor divides and the floor of
// the constant, `rest` the other terms and the constant's remainder in [0, divisor).
void SplitByDivisor(const LinearForm& form, int64_t divisor, LinearForm* quotient, LinearForm* rest);

// Greatest common divisors, above 1, of `modulus` and each coefficient: distinct, descending. A modulus of 0 gives the
// coefficients' magnitudes.
absl::InlinedVector<int64_t, 4> CommonDivisors(const LinearForm& form, int64_t modulus);

// Bounds of a form. Nullopt as for BoundsOf.
std::optional<Interval> BoundsOfForm(const LinearForm& form, const VarRanges& ranges);

// The divisor of atom // divisor or atom % divisor when it is a positive constant and the operator is `op`.
std::optional<int64_t> ConstantDivisor(const Expr& expr, BinaryOp op);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_IR_LINEAR_FORM_H_
