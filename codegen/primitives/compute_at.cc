#include "codegen/primitives/compute_at.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/independence.h"
#include "codegen/primitives/move.h"
#include "codegen/primitives/placement.h"
#include "codegen/primitives/sites.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// The one buffer that the producer writes, always at the same indices. Errors: FAILED_PRECONDITION.
absl::StatusOr<const Store*> OnlyStore(const LoopNest& nest, const Block& producer) {
  const auto refuse = [&](absl::string_view why) { return Refuse(absl::StrCat("block '", producer.name, "': ", why)); };
  if (producer.writes.size() != 1) return refuse("it writes several buffers, expected one");
  const int buffer = producer.writes[0].buffer;
  if (nest.buffers[buffer].role != Role::kTemporary) {
    return refuse(absl::StrCat("it writes buffer '", nest.buffers[buffer].name, "', expected a temporary"));
  }
  if (LoadsWhatItWrites(producer))
    return refuse("it reads the buffer that it writes, expected a producer that does not");
  for (const Block* other : WritersOf(nest, buffer)) {
    if (other == &producer) continue;
    return refuse(absl::StrCat("block '", other->name, "' also writes buffer '", nest.buffers[buffer].name,
                               "', expected a single writer (its init not yet decomposed)"));
  }
  const Store& first = producer.body[0];
  for (const std::vector<Store>* stores : {&producer.init, &producer.body}) {
    for (const Store& store : *stores) {
      if (!std::equal(store.indices.begin(), store.indices.end(), first.indices.begin(), StructurallyEqual)) {
        return refuse("it writes several elements at once, expected one element per instance");
      }
    }
  }
  if (producer.init.empty() && first.op != StoreOp::kAssign) {
    return refuse("it adds to what is there already, expected an init");
  }
  return &first;
}

// The box of the buffer that blocks under the loop read in one iteration of it.
absl::StatusOr<std::vector<Range>> NeededBox(const LoopNest& nest, const Path& loop, int buffer) {
  const std::vector<const Loop*> outer = loop.Loops();
  std::optional<std::vector<Range>> box;
  const auto whole = [&](size_t d) { return Range{Int(0), nest.buffers[buffer].shape[d]}; };
  for (const Site& site : SitesIn(outer.back()->body, outer)) {
    for (const BufferRegion& region : site.block->reads) {
      if (region.buffer != buffer) continue;
      const VarRanges ranges = LoopRanges(site.loops);
      const VarSet inner = VarsOf(LoopsInside(site.loops, outer));
      const VarMap bindings = BindingsOf(*site.block);
      const bool first = !box.has_value();
      if (first) box.emplace();
      for (size_t d = 0; d < region.ranges.size(); ++d) {
        const Expr begin = Simplify(Substitute(region.ranges[d].begin, bindings), ranges);
        std::optional<Range> range = RangeOver(begin, inner, ranges);
        if (!range.has_value()) range = whole(d);
        range->extent += region.ranges[d].extent - 1;
        if (first) {
          box->push_back(*range);
          continue;
        }
        Range& known = (*box)[d];
        const std::optional<int64_t> shift = ConstantDifference(range->begin, known.begin);
        if (!shift.has_value()) {
          known = whole(d);
          continue;
        }
        const int64_t end = std::max(known.extent, *shift + range->extent);
        if (*shift < 0) known.begin = range->begin;
        known.extent = end - std::min<int64_t>(*shift, 0);
      }
    }
  }
  if (!box.has_value()) {
    return Refuse(absl::StrCat("loop '", outer.back()->var->name, "' has no reader of buffer '",
                               nest.buffers[buffer].name, "', expected a consumer inside"));
  }
  return *std::move(box);
}

// Errors: FAILED_PRECONDITION when the way from the producer to the loop changes what it reads, or a reader of its
// buffer is elsewhere.
absl::Status CheckWay(const LoopNest& nest, const Move& move, const Block& producer, int buffer) {
  if (move.block_index > move.loop_index) {
    return Refuse(absl::StrCat("block '", producer.name, "' stands after loop '",
                               As<Loop>(move.loop.target())->var->name, "', expected a producer before it"));
  }
  const std::vector<const Block*> inside = BlocksIn(move.loop.target());
  for (const Block* user : UsersOf(nest, buffer)) {
    if (user == &producer || std::find(inside.begin(), inside.end(), user) != inside.end()) continue;
    return Refuse(absl::StrCat("buffer '", nest.buffers[buffer].name, "' is read by block '", user->name,
                               "', expected all consumers under loop '", As<Loop>(move.loop.target())->var->name, "'"));
  }
  for (size_t i = move.block_index; i <= move.loop_index; ++i) {
    for (const Block* other : BlocksIn(move.stmts[i])) {
      if (other == &producer) continue;
      for (const BufferRegion& region : other->writes) {
        if (!Reads(producer, region.buffer)) continue;
        return Refuse(absl::StrCat("block '", other->name, "' writes buffer '", nest.buffers[region.buffer].name,
                                   "', which block '", producer.name, "' reads, on the way to the loop"));
      }
    }
  }
  return absl::OkStatus();
}

// A reduction must be whole, and may be repeated. Errors: FAILED_PRECONDITION.
absl::Status CheckReduction(const Block& producer, const BoxImage& image) {
  if (!IsReduction(producer)) return absl::OkStatus();
  const auto refuse = [&](absl::string_view why) { return Refuse(absl::StrCat("block '", producer.name, "': ", why)); };
  if (!StoresCommute(producer)) return refuse("it stores something else than sums or maxima");
  if (!image.ascending) return refuse("its reduction does not start where its loops start");
  for (size_t i = 0; i < producer.iters.size(); ++i) {
    const BlockIter& iter = producer.iters[i];
    if (iter.kind == IterKind::kOrdered) return refuse(absl::StrCat("its iterator ", iter.var->name, " is ordered"));
    const std::optional<int64_t> begin = ConstantInt(image.box[i].begin);
    if (iter.kind == IterKind::kSpatial || (begin.has_value() && *begin <= 0)) continue;
    return refuse(
        absl::StrCat("its reduction over ", iter.var->name,
                     " is done in parts, by a loop around both or by blocks of their own; expected a whole one"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LoopNest> ComputeAt(const LoopNest& nest, absl::string_view block, absl::string_view loop) {
  TF_ASSIGN_OR_RETURN(const Move move, FindMove(nest, block, loop));
  const Block& producer = *As<Block>(move.block.target());
  TF_ASSIGN_OR_RETURN(const Store* store, OnlyStore(nest, producer));
  TF_RETURN_IF_ERROR(CheckWay(nest, move, producer, store->buffer));
  TF_ASSIGN_OR_RETURN(const std::vector<Range> box, NeededBox(nest, move.loop, store->buffer));
  TF_ASSIGN_OR_RETURN(const Execution execution,
                      ExecutionOf(producer, move.shared, LoopsInside(move.block.Loops(), move.shared)));
  TF_RETURN_IF_ERROR(CheckReduction(producer, execution.image));

  const std::vector<std::optional<Range>> needed = IterRangesTouching(producer, store->indices, box);
  std::vector<Range> ranges;
  for (size_t i = 0; i < producer.iters.size(); ++i) {
    const BlockIter& iter = producer.iters[i];
    const bool spatial = iter.kind == IterKind::kSpatial;
    Range range = Narrowed(spatial && needed[i].has_value() ? *needed[i] : execution.image.box[i], iter.extent);
    if (spatial && range.extent > iter.extent) range = {Int(0), iter.extent};
    ranges.push_back(std::move(range));
  }

  const LoopNest without = ReplaceTarget(nest, move.block, nullptr);
  TF_RETURN_IF_ERROR(CheckLoopNames(without, producer));
  TF_ASSIGN_OR_RETURN(const Path target, FindLoop(without, loop));
  const std::vector<Stmt> body = BodyStmts(*As<Loop>(target.target()));
  const auto reads_it = [&](const Stmt& stmt) {
    const std::vector<const Block*> blocks = BlocksIn(stmt);
    return std::any_of(blocks.begin(), blocks.end(), [&](const Block* b) { return Reads(*b, store->buffer); });
  };
  const auto position = static_cast<size_t>(std::find_if(body.begin(), body.end(), reads_it) - body.begin());
  Block placed = producer;
  placed.predicate = execution.outer_predicate;
  LoopNest result =
      MoveInto(without, target, PlaceBlock(std::move(placed), ranges, {}, LoopRanges(target.Loops())), position);
  TF_ASSIGN_OR_RETURN(const Path moved, FindBlock(result, block));
  TF_RETURN_IF_ERROR(CheckConcurrentLoops(result, moved));
  return result;
}

}  // namespace tunefleet::codegen
