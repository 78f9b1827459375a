// How loop variables make up indices: as digits of mixed-radix numbers. What every primitive that moves or splits
// blocks knows about regions is said here; whatever does not fit is "not known", and the primitive refuses.
//
// A digit is (var // divisor) % count, an index is a sum of digits with coefficients: splits give 16*co.o + co.i, fused
// loops f // 7 and f % 7. Pure functions.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_AFFINE_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_AFFINE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "codegen/ir/interval.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

VarSet VarsOf(const std::vector<const Loop*>& loops);

// The constant range of a loop; nullopt when a bound is not constant.
std::optional<Interval> ConstantRange(const Loop& loop);

struct Digit {
  Var var;
  int64_t divisor = 1;
  int64_t count = 0;  // of its values
  int64_t first = 0;  // its least value
};
// Nullopt when the expression is no digit of one of the loops.
std::optional<Digit> DigitOf(const Expr& expr, const std::vector<const Loop*>& loops);
// Whether the digits, all of the loop's variable, take every combination of their values, and whether they also tell
// every iteration from every other.
struct Coverage {
  bool independent = false;
  bool complete = false;
};
Coverage CoverageOf(std::vector<Digit> digits, const Loop& loop);

// The values of an index while the `inner` variables run over their ranges and all others stand still: never too few,
// the extent constant. Nullopt when that cannot be said.
std::optional<Range> RangeOver(const Expr& index, const VarSet& inner, const VarRanges& ranges);

// The values of several indices together while the inner loops run and all other variables stand still.
struct BoxImage {
  std::vector<Range> box;  // one range per index, exact bounds
  bool dense = false;      // every point of the box is reached
  bool injective = false;  // no point is reached twice
  bool ascending = false;  // the first iteration reaches the least point
};
// Nullopt when an index is not a sum of digits of the inner loops (and what stands still), or a loop's bounds are not
// constant.
std::optional<BoxImage> ImageOf(const std::vector<Expr>& indices, const std::vector<const Loop*>& inner,
                                const VarRanges& ranges);

// a - b when that is a constant.
std::optional<int64_t> ConstantDifference(const Expr& a, const Expr& b);

// Conditions. `Conjuncts` flattens &&.
std::vector<Expr> Conjuncts(const Expr& condition);
// Whether the condition compares two indices, as one that must not be negative; nullopt otherwise.
std::optional<LinearForm> NonNegativeForm(const Expr& condition);
// Whether `condition` follows from `fact` (both comparisons of indices) for variables in their ranges.
bool Follows(const Expr& condition, const Expr& fact, const VarRanges& ranges);
// Whether the condition, over loop variables, follows from the block's iterators being inside their domains.
bool FollowsFromDomain(const Expr& condition, const Block& block, const VarRanges& ranges);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_AFFINE_H_
