// What is known of the values of index expressions: intervals, linear forms, and the simplifier that stands on them.
//
// Everything here is over a box: every variable anywhere in its range, whatever the others are. A result holds at every
// point of the box; where nothing can be said (a load, a variable without a range, values past 64 bits) the functions
// say less, never something wrong. Pure functions.
#ifndef TUNEFLEET_CODEGEN_IR_INTERVAL_H_
#define TUNEFLEET_CODEGEN_IR_INTERVAL_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "codegen/ir/expr.h"

namespace tunefleet::codegen {

// Closed: every value lies inside; min and max need not be attained.
struct Interval {
  int64_t min;
  int64_t max;
};

using VarRanges = absl::flat_hash_map<Var, Interval>;

// Bounds of an index expression over the box of variable ranges; exact for linear expressions in which each variable
// occurs once after collection. Nullopt when a variable has no range, and for what is no index arithmetic.
std::optional<Interval> BoundsOf(const Expr& expr, const VarRanges& ranges);

// True when the condition holds (fails) for every point of the box. False means: not proven.
bool ProvablyTrue(const Expr& condition, const VarRanges& ranges);
bool ProvablyFalse(const Expr& condition, const VarRanges& ranges);

// sum(coefficient * atom) + constant, where an atom is a variable or a non-linear sub-expression (//, %, min, max).
struct LinearForm {
  // Atoms structurally distinct, in the order of their first appearance; coefficients non-zero.
  absl::InlinedVector<std::pair<Expr, int64_t>, 4> terms;
  int64_t constant = 0;
};
LinearForm LinearFormOf(const Expr& expr);
Expr ToExpr(const LinearForm& form);

// Collects linear terms, and simplifies //, %, min, max, comparisons and selects where the ranges allow: (16*a + b) //
// 16 is a for b in [0, 16); a variable with a single value becomes that value. A comparison of indices comes out as
// sum < sum, constant <= sum or sum == sum, with positive coefficients and no common factor. The result is equal for
// every point of the box, and is the argument itself when nothing changed.
Expr Simplify(const Expr& expr, const VarRanges& ranges);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_IR_INTERVAL_H_
