// Whether an index stays inside [0, extent) for every point of a box that satisfies some conditions.
#ifndef TUNEFLEET_CODEGEN_IR_CONTAINMENT_H_
#define TUNEFLEET_CODEGEN_IR_CONTAINMENT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "codegen/ir/interval.h"

namespace tunefleet::codegen {

// The value of an index or bool expression at a point. Nullopt: a load, a float, an unknown variable, a division by
// zero, or a value past 64 bits.
std::optional<int64_t> Evaluate(const Expr& expr, const absl::flat_hash_map<Var, int64_t>& point);

// The negation of a condition; nullopt for what is no comparison, conjunction, disjunction or constant.
std::optional<Expr> Negation(const Expr& condition);

enum class Containment {
  kInside,   // proven
  kOutside,  // a point that satisfies the conditions has a value outside
  kUnknown,
};

// Proves by intervals, and by conditions that imply the bound; else looks at every point, when there are few.
Containment StaysInside(const Expr& value, int64_t extent, const std::vector<Expr>& conditions,
                        const VarRanges& ranges);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_IR_CONTAINMENT_H_
