// What is known of the values of index expressions: intervals, linear forms, and the simplifier that stands on them.
#ifndef TUNEFLEET_CODEGEN_IR_INTERVAL_H_
#define TUNEFLEET_CODEGEN_IR_INTERVAL_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "codegen/ir/expr.h"

namespace tunefleet::codegen {

// Closed: min and max are both attained bounds or safe outer bounds.
struct Interval {
  int64_t min;
  int64_t max;
};

using VarRanges = absl::flat_hash_map<Var, Interval>;

// Bounds of an index expression over the box of variable ranges; exact for linear expressions in which each variable
// occurs once after collection. Nullopt when a variable has no range.
std::optional<Interval> BoundsOf(const Expr& expr, const VarRanges& ranges);

// True when the condition holds (fails) for every point of the box. False means: not proven.
bool ProvablyTrue(const Expr& condition, const VarRanges& ranges);
bool ProvablyFalse(const Expr& condition, const VarRanges& ranges);

// sum(coefficient * atom) + constant, where an atom is a variable or a non-linear sub-expression (//, %, min, max).
struct LinearForm {
  std::vector<std::pair<Expr, int64_t>> terms;  // atoms structurally distinct, coefficients non-zero
  int64_t constant = 0;
};
LinearForm LinearFormOf(const Expr& expr);
Expr ToExpr(const LinearForm& form);

// Collects linear terms, and simplifies //, %, min, max, comparisons and selects where the ranges allow: (16*a + b) //
// 16 is a for b in [0, 16). The result is equal for every point of the box.
Expr Simplify(const Expr& expr, const VarRanges& ranges);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_IR_INTERVAL_H_
