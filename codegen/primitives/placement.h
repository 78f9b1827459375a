// Putting a block under loops of its own, and finding the iterations of it that a region needs.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_PLACEMENT_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_PLACEMENT_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "codegen/ir/loop_nest.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/affine.h"

namespace tunefleet::codegen {

// The block under one serial loop per iterator, in their order, named "<block>.<iterator>": iterator i runs over
// ranges[i] (over the loops around). `clips` holds, per iterator, what it must stay inside, beside its domain
// (empty: nothing). Bounds that `outer` (ranges of the loops around) does not prove become predicates, after those
// that the block has. The block's bindings are replaced.
Stmt PlaceBlock(Block block, const std::vector<Range>& ranges, const std::vector<Range>& clips, VarRanges outer);

// Errors: those of CheckNewName, for the loops that PlaceBlock makes.
absl::Status CheckLoopNames(const LoopNest& nest, const Block& block);

// A block over elements of a buffer: iterators d0, d1, ... with these extents, all spatial. Bindings are left unset.
Block ElementwiseBlock(const std::string& name, const std::vector<int64_t>& extents);
// References to the iterators.
std::vector<Expr> IterRefs(const Block& block);
// ElementwiseBlock (or any other) under loops over its whole domain, nothing around it.
Stmt PlaceAtRoot(Block block);

// Per iterator of the block, the values at which its accesses `indices` may touch the box; nullopt where an iterator
// does not stand in an index as itself (plus a constant) or as i // f beside i % f.
std::vector<std::optional<Range>> IterRangesTouching(const Block& block, const std::vector<Expr>& indices,
                                                     const std::vector<Range>& box);

// The part of a range that lies in [0, extent), where that is plain to see; else the range itself.
Range Narrowed(const Range& range, int64_t extent);

// What `inner` loops make of the block's iterators, in the order of the iterators, and which of its predicates speak of
// the `outer` loops only. Errors: FAILED_PRECONDITION unless the iterators take every combination of their values once
// the other predicates, which must follow from the iterators' domains, hold.
struct Execution {
  BoxImage image;
  std::vector<Expr> outer_predicate;
};
absl::StatusOr<Execution> ExecutionOf(const Block& block, const std::vector<const Loop*>& outer,
                                      const std::vector<const Loop*>& inner);

// Splits a block's loops at the last one of `outer`.
std::vector<const Loop*> LoopsInside(const std::vector<const Loop*>& loops, const std::vector<const Loop*>& outer);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_PLACEMENT_H_
