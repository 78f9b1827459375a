// A Schedule as data: recorded primitive calls, and their replay.
//
// A primitive is a pure rewrite (one file pair each, codegen/primitives/NAME.h) that checks its own legality and
// refuses clearly (FAILED_PRECONDITION, INVALID_ARGUMENT, NOT_FOUND) instead of miscompiling. A released primitive's
// meaning never changes.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_SCHEDULE_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_SCHEDULE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"
#include "proto/schedule.pb.h"

namespace tunefleet::codegen {

// Writes a schedule down. Nothing is checked until it is replayed. Names of loops are those of their variables.
class ScheduleBuilder {
 public:
  ScheduleBuilder(std::string implementation, int version);

  // loop -> one loop per factor, outermost first; one factor may be 0: what is left, rounded up. A product past the
  // extent adds a predicate.
  ScheduleBuilder& Split(absl::string_view loop, std::vector<int64_t> factors, std::vector<std::string> names);
  // Adjacent loops, outermost first, become one.
  ScheduleBuilder& Fuse(std::vector<std::string> loops, absl::string_view name);
  // The loops, which lie on one chain, take each other's places in this order, outermost first.
  ScheduleBuilder& Reorder(std::vector<std::string> loops);
  // Cuts the loop's range at the points (relative to its begin, ascending); part i has `suffixes[i]` appended to the
  // names of every loop and block inside, of the loop, and of scratch buffers used nowhere else. One more suffix than
  // points.
  ScheduleBuilder& Partition(absl::string_view loop, std::vector<int64_t> points, std::vector<std::string> suffixes);
  ScheduleBuilder& Vectorize(absl::string_view loop);
  ScheduleBuilder& Unroll(absl::string_view loop);
  ScheduleBuilder& Parallel(absl::string_view loop);
  // A copy block `name` copies what `block` reads of `buffer` into the new buffer `name`; placed at the root until
  // computed at a loop. Copy blocks, here and below, have iterators d0, d1, ..., one per dimension.
  ScheduleBuilder& CacheRead(absl::string_view block, absl::string_view buffer, absl::string_view scope,
                             absl::string_view name);
  // `block` writes the new buffer `name` instead; a copy block "<name>.out" copies it to `buffer`.
  ScheduleBuilder& CacheWrite(absl::string_view block, absl::string_view buffer, absl::string_view scope,
                              absl::string_view name);
  // Moves a producer block under the loop, computing just the region that the loop's consumers need. New loops are
  // named
  // "<block>.<iterator>".
  ScheduleBuilder& ComputeAt(absl::string_view block, absl::string_view loop);
  // Moves a consumer block under the loop, consuming just the region that the loop's producer makes. Names as above.
  ScheduleBuilder& ReverseComputeAt(absl::string_view block, absl::string_view loop);
  ScheduleBuilder& ComputeInline(absl::string_view block);
  ScheduleBuilder& SetScope(absl::string_view buffer, absl::string_view scope);
  // Vectors that are read of the buffer also ask for what lies `bytes` ahead.
  ScheduleBuilder& Prefetch(absl::string_view buffer, int64_t bytes);
  // Scalars of the buffer that multiply-adds share become memory operands of each, as far as load ports have room.
  ScheduleBuilder& FoldLoads(absl::string_view buffer);
  // The init of a reduction becomes a block "name" of its own, just before the loop; its loops are named
  // "<name>.<iterator>".
  ScheduleBuilder& DecomposeReduction(absl::string_view block, absl::string_view loop, absl::string_view name);
  // What one iteration of the loop adds to the block's sum is accumulated in the new buffer `name`, then added by block
  // "<name>.out"; "<name>.init" begins each pass, "<name>.zero" is the sum's own init, in the first pass.
  ScheduleBuilder& AccumulateAt(absl::string_view block, absl::string_view loop, absl::string_view scope,
                                absl::string_view name);
  // Every iteration of the reduction loop sums into an element of its own of the new buffer `name`, as a spatial loop;
  // block "<name>.out" adds those up afterwards.
  ScheduleBuilder& RFactor(absl::string_view block, absl::string_view loop, absl::string_view scope,
                           absl::string_view name);
  // The loop and those inside, which match the intrinsic's description, are left to its implementation.
  ScheduleBuilder& Tensorize(absl::string_view loop, absl::string_view intrinsic);
  // A new layout for a buffer. `terms` holds, per new dimension, "dim/factor", "dim%factor" or "dim"  (dim: number of
  // the old dimension), e.g. {"0/16", "1", "2", "0%16"}; where factors do not divide, the new buffer is padded with
  // zeros. A constant is packed by a new block `name` in prepare into a new buffer `name`; for a temporary the buffer
  // itself changes and keeps its name.
  ScheduleBuilder& TransformLayout(absl::string_view buffer, std::vector<std::string> terms, absl::string_view name);
  // The block reads a padded copy `name` of the buffer (copy block `name`), `before` and `after` zeros per dimension,
  // so that its guard on that buffer is gone; placed at the root until computed at a loop. Legal where the guarded term
  // is a product with the buffer's element (zero adds nothing).
  ScheduleBuilder& Pad(absl::string_view block, absl::string_view buffer, std::vector<int64_t> before,
                       std::vector<int64_t> after, absl::string_view scope, absl::string_view name);

  const v1::Schedule& schedule() const { return schedule_; }

 private:
  v1::Schedule schedule_;
};

// Applies one call. Errors: those of the primitive, prefixed with its name; INVALID_ARGUMENT for an unknown primitive
// or a missing, mistyped or unknown argument.
absl::StatusOr<LoopNest> Apply(const LoopNest& nest, const v1::PrimitiveCall& call);

// Applies all calls in order. Errors name the number of the failing call.
absl::StatusOr<LoopNest> Replay(const LoopNest& fresh, const v1::Schedule& schedule);

// A call in one line: split(loop="oh", factors=[2,14], names=["oh.o","oh.i"]).
std::string Print(const v1::PrimitiveCall& call);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_SCHEDULE_H_
