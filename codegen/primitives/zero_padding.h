// Bounds checks that become needless where a buffer holds zeros beyond its bounds.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_ZERO_PADDING_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_ZERO_PADDING_H_

#include <cstdint>
#include <vector>

#include "codegen/ir/interval.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// How many zeros a buffer has before and after each dimension.
struct ZeroPadding {
  std::vector<int64_t> shape;  // without them
  std::vector<int64_t> before;
  std::vector<int64_t> after;
};

// Whether the element at the indices is inside the buffer or its zeros for all values of the variables.
bool StaysInside(const std::vector<Expr>& indices, const ZeroPadding& padding, const VarRanges& ranges);

// The conjuncts without those that only ask whether one of the indices is inside the unpadded buffer: where such a one
// is false, the element is a zero. Call it where StaysInside.
std::vector<Expr> WithoutBoundsChecks(const std::vector<Expr>& conjuncts, const std::vector<Expr>& indices,
                                      const ZeroPadding& padding);

// The conjuncts joined; true when there is none.
Expr Conjunction(const std::vector<Expr>& conjuncts);
bool IsZero(const Expr& expr);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_ZERO_PADDING_H_
