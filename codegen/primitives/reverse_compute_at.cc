#include "codegen/primitives/reverse_compute_at.h"

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

// What the producers of a buffer make in one iteration of the loop.
struct Made {
  std::vector<Range> box;              // over the loops down to the loop; clipped by `domain`
  std::vector<Range> total;            // of all iterations, over the loops shared with the consumer; clipped too
  std::vector<Range> domain;           // constant
  std::vector<Expr> shared_predicate;  // over the shared loops: whether anything is made at all
};

bool Contains(const std::vector<Expr>& conjuncts, const Expr& conjunct) {
  return std::any_of(conjuncts.begin(), conjuncts.end(),
                     [&conjunct](const Expr& other) { return StructurallyEqual(other, conjunct); });
}

bool SameRange(const Range& a, const Range& b) {
  return a.extent == b.extent && ConstantDifference(a.begin, b.begin) == 0;
}

// The values of an index that is an iterator of the block, or a constant; nullopt for anything else. Clipping by the
// iterators' domains is then clipping by a box of the buffer.
std::optional<Range> PlainDomain(const Block& block, const Range& range) {
  if (range.extent != 1) return std::nullopt;
  if (ConstantInt(range.begin).has_value()) return range;
  for (const BlockIter& iter : block.iters) {
    if (StructurallyEqual(range.begin, VarRef(iter.var))) return Range{Int(0), iter.extent};
  }
  return std::nullopt;
}

class Mover {
 public:
  Mover(const LoopNest& nest, const Move& move)
      : nest_(nest), move_(move), consumer_(*As<Block>(move.block.target())), outer_(move.loop.Loops()) {}

  absl::StatusOr<LoopNest> Run() {
    TF_RETURN_IF_ERROR(CheckConsumer());
    TF_RETURN_IF_ERROR(FindBuffer());
    TF_RETURN_IF_ERROR(CheckWay());
    TF_ASSIGN_OR_RETURN(const Made made, FindMade());
    TF_ASSIGN_OR_RETURN(const Execution old,
                        ExecutionOf(consumer_, move_.shared, LoopsInside(move_.block.Loops(), move_.shared)));
    for (const Expr& conjunct : made.shared_predicate) {
      if (Contains(old.outer_predicate, conjunct)) continue;
      return RefuseConsumer(
          absl::StrCat("buffer '", BufferName(), "' is written under a predicate that it does not have"));
    }
    TF_ASSIGN_OR_RETURN(const std::vector<Range> ranges, NewRanges(made, old.image));

    const LoopNest without = ReplaceTarget(nest_, move_.block, nullptr);
    TF_RETURN_IF_ERROR(CheckLoopNames(without, consumer_));
    TF_ASSIGN_OR_RETURN(const Path target, FindLoop(without, outer_.back()->var->name));
    const std::vector<Stmt> body = BodyStmts(*As<Loop>(target.target()));
    size_t position = 0;
    for (size_t i = 0; i < body.size(); ++i) {
      for (const Block* block : BlocksIn(body[i])) {
        if (Writes(*block, buffer_)) position = i + 1;
      }
    }
    Block placed = consumer_;
    placed.predicate = old.outer_predicate;
    const LoopNest result = MoveInto(
        without, target, PlaceBlock(std::move(placed), ranges, old.image.box, LoopRanges(target.Loops())), position);
    TF_ASSIGN_OR_RETURN(const Path moved, FindBlock(result, consumer_.name));
    TF_RETURN_IF_ERROR(CheckConcurrentLoops(result, moved));
    return result;
  }

 private:
  absl::Status RefuseConsumer(absl::string_view why) const {
    return Refuse(absl::StrCat("block '", consumer_.name, "': ", why));
  }
  std::string BufferName() const { return nest_.buffers[buffer_].name; }

  absl::Status CheckConsumer() const {
    if (move_.block_index < move_.loop_index) {
      return RefuseConsumer(
          absl::StrCat("it stands before loop '", outer_.back()->var->name, "', expected a consumer after it"));
    }
    if (IsReduction(consumer_) || !consumer_.init.empty()) {
      return RefuseConsumer("it is a reduction, expected spatial iterators only");
    }
    if (LoadsWhatItWrites(consumer_)) return RefuseConsumer("it reads what it writes, expected plain assignments");
    for (const Store& store : consumer_.body) {
      if (store.op != StoreOp::kAssign) return RefuseConsumer("it adds to a buffer, expected plain assignments");
    }
    return absl::OkStatus();
  }

  // The one buffer that the consumer reads and blocks under the loop write; all its writers are there.
  absl::Status FindBuffer() {
    const std::vector<const Block*> inside = BlocksIn(outer_.back()->body);
    for (const BufferRegion& region : consumer_.reads) {
      const bool made_here = std::any_of(inside.begin(), inside.end(),
                                         [&region](const Block* block) { return Writes(*block, region.buffer); });
      if (!made_here) continue;
      if (buffer_ >= 0) {
        return RefuseConsumer(absl::StrCat("it reads buffers '", BufferName(), "' and '",
                                           nest_.buffers[region.buffer].name, "', both written under loop '",
                                           outer_.back()->var->name, "', expected one"));
      }
      buffer_ = region.buffer;
    }
    if (buffer_ < 0) {
      return RefuseConsumer(absl::StrCat("it reads nothing that is written under loop '", outer_.back()->var->name,
                                         "', expected a consumer of a block inside"));
    }
    for (const Block* writer : WritersOf(nest_, buffer_)) {
      if (std::find(inside.begin(), inside.end(), writer) != inside.end()) continue;
      return RefuseConsumer(absl::StrCat("buffer '", BufferName(), "' is also written by block '", writer->name,
                                         "', expected all writers under loop '", outer_.back()->var->name, "'"));
    }
    return absl::OkStatus();
  }

  // The consumer gets ahead of everything from the loop's statement to its own.
  absl::Status CheckWay() const {
    for (size_t i = move_.loop_index; i <= move_.block_index; ++i) {
      for (const Block* other : BlocksIn(move_.stmts[i])) {
        if (other == &consumer_) continue;
        for (const BufferRegion& region : consumer_.writes) {
          if (!Reads(*other, region.buffer) && !Writes(*other, region.buffer)) continue;
          return RefuseConsumer(absl::StrCat("block '", other->name, "' uses buffer '",
                                             nest_.buffers[region.buffer].name, "', which it writes, on the way"));
        }
        for (const BufferRegion& region : consumer_.reads) {
          if (region.buffer == buffer_ || !Writes(*other, region.buffer)) continue;
          return RefuseConsumer(absl::StrCat("block '", other->name, "' writes buffer '",
                                             nest_.buffers[region.buffer].name, "', which it reads, on the way"));
        }
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Made> FindMade() const {
    std::optional<Made> made;
    for (const Site& site : SitesIn(outer_.back()->body, outer_)) {
      if (!Writes(*site.block, buffer_)) continue;
      TF_ASSIGN_OR_RETURN(Made one, MadeBy(site));
      if (!made.has_value()) {
        made = std::move(one);
        continue;
      }
      bool same = true;
      for (size_t d = 0; d < one.box.size(); ++d) {
        same = same && SameRange(one.box[d], made->box[d]) && SameRange(one.total[d], made->total[d]) &&
               SameRange(one.domain[d], made->domain[d]);
      }
      for (const Expr& conjunct : one.shared_predicate) made->shared_predicate.push_back(conjunct);
      if (!same) {
        return Refuse(absl::StrCat("buffer '", BufferName(), "': block '", site.block->name,
                                   "' writes another region than the blocks before it in loop '",
                                   outer_.back()->var->name, "', expected the same one"));
      }
    }
    return *std::move(made);
  }

  absl::StatusOr<Made> MadeBy(const Site& site) const {
    const Block& producer = *site.block;
    const auto refuse = [&](absl::string_view why) {
      return Refuse(absl::StrCat("block '", producer.name, "': ", why));
    };
    const std::vector<const Loop*> inner = LoopsInside(site.loops, outer_);
    const std::vector<const Loop*> own = LoopsInside(site.loops, move_.shared);
    const std::vector<const Loop*> moved_under = LoopsInside(outer_, move_.shared);
    for (const BlockIter& iter : producer.iters) {
      if (iter.kind == IterKind::kSpatial || !UsesAny(iter.binding, VarsOf(moved_under))) continue;
      return refuse(absl::StrCat("its reduction over ", iter.var->name, " is not finished inside loop '",
                                 outer_.back()->var->name, "', expected its loops to be further inside"));
    }
    Made made;
    std::vector<Expr> indices;
    for (const BufferRegion& region : producer.writes) {
      if (region.buffer != buffer_) continue;
      for (const Range& range : region.ranges) {
        const std::optional<Range> domain = PlainDomain(producer, range);
        if (!domain.has_value()) {
          return refuse(absl::StrCat("it does not write buffer '", BufferName(), "' at its plain iterators"));
        }
        made.domain.push_back(*domain);
        indices.push_back(Substitute(range.begin, BindingsOf(producer)));
      }
    }
    const VarRanges ranges = LoopRanges(site.loops);
    TF_ASSIGN_OR_RETURN(Execution execution, ExecutionOf(producer, move_.shared, own));
    made.shared_predicate = std::move(execution.outer_predicate);
    std::optional<BoxImage> image = ImageOf(indices, inner, ranges);
    std::optional<BoxImage> total = ImageOf(indices, own, ranges);
    if (!image.has_value() || !total.has_value() || !image->dense || !total->dense) {
      return refuse(absl::StrCat("what it writes of buffer '", BufferName(),
                                 "' in one iteration is not known to be a "
                                 "whole box"));
    }
    made.box = std::move(image->box);
    made.total = std::move(total->box);
    return made;
  }

  // Iterations of the consumer for what is made, per iterator.
  absl::StatusOr<std::vector<Range>> NewRanges(const Made& made, const BoxImage& old) const {
    const auto region = std::find_if(consumer_.reads.begin(), consumer_.reads.end(),
                                     [this](const BufferRegion& r) { return r.buffer == buffer_; });
    std::vector<Expr> indices;
    for (const Range& range : region->ranges) {
      if (range.extent != 1) {
        return RefuseConsumer(absl::StrCat("it reads several elements of buffer '", BufferName(),
                                           "' at once, expected one element per instance"));
      }
      indices.push_back(range.begin);
    }
    std::vector<Range> ranges = old.box;
    std::vector<bool> found(ranges.size(), false);
    for (size_t d = 0; d < indices.size(); ++d) {
      TF_ASSIGN_OR_RETURN(const std::optional<Consumed> consumed, ConsumedAlong(indices, d, made, old));
      if (!consumed.has_value()) continue;
      if (found[consumed->iter]) return RefuseRead(d, "an iterator stands in two of its dimensions");
      found[consumed->iter] = true;
      ranges[consumed->iter] = consumed->range;
    }
    return ranges;
  }

  absl::Status RefuseRead(size_t dimension, absl::string_view why) const {
    return RefuseConsumer(
        absl::StrCat("its reads of buffer '", BufferName(), "' along dimension ", dimension, ": ", why));
  }

  struct Consumed {
    size_t iter;
    Range range;
  };
  // What one dimension of the reads says of an iterator: nullopt when it says nothing, or another dimension says it.
  absl::StatusOr<std::optional<Consumed>> ConsumedAlong(const std::vector<Expr>& indices, size_t d, const Made& made,
                                                        const BoxImage& old) const {
    const LinearForm form = LinearFormOf(indices[d]);
    const VarRanges shared = LoopRanges(move_.shared);
    if (form.terms.empty()) {
      const Expr at = Int(form.constant);
      const VarRanges outer = LoopRanges(outer_);
      if (ProvablyTrue(LessEqual(made.box[d].begin, at), outer) &&
          ProvablyTrue(Less(at, made.box[d].begin + Int(made.box[d].extent)), outer)) {
        return std::optional<Consumed>();
      }
      return RefuseRead(d, "not every iteration makes the element");
    }
    const Expr& atom = form.terms[0].first;
    if (form.terms.size() > 1 || form.terms[0].second != 1) return RefuseRead(d, "expected an iterator and a constant");
    const Expr whole = atom->kind == ExprKind::kBinary ? atom->operands[0] : atom;
    const auto iter = std::find_if(consumer_.iters.begin(), consumer_.iters.end(),
                                   [&whole](const BlockIter& i) { return StructurallyEqual(whole, VarRef(i.var)); });
    if (iter == consumer_.iters.end()) return RefuseRead(d, "expected an iterator and a constant");
    const auto number = static_cast<size_t>(iter - consumer_.iters.begin());
    int64_t factor = 1;
    if (atom->kind == ExprKind::kBinary) {
      const std::optional<int64_t> divisor = ConstantInt(atom->operands[1]);
      if (form.constant != 0 || !divisor.has_value() || !IsSplitPair(indices, made, whole, *divisor)) {
        return RefuseRead(d, "expected i // f beside i % f, all of whose values are made together");
      }
      if (atom->op == BinaryOp::kFloorMod) return std::optional<Consumed>();
      factor = *divisor;
    }
    const auto in_iterations = [&](const Range& range) {
      return Range{(range.begin - Int(form.constant)) * Int(factor), range.extent * factor};
    };
    const auto covers = [&](const Range& range) {
      const Range& all = old.box[number];
      const Expr end = range.begin + Int(range.extent);
      return (ProvablyTrue(LessEqual(range.begin, all.begin), shared) ||
              ProvablyTrue(LessEqual(range.begin, Int(0)), shared)) &&
             (ProvablyTrue(LessEqual(all.begin + Int(all.extent), end), shared) ||
              ProvablyTrue(LessEqual(Int(iter->extent), end), shared));
    };
    if (!covers(in_iterations(made.total[d])) || !covers(in_iterations(made.domain[d]))) {
      return RefuseRead(d, "it reads more than the loop makes");
    }
    return std::optional<Consumed>({number, Narrowed(in_iterations(made.box[d]), iter->extent)});
  }

  // Whether there are dimensions i // f and i % f, and each iteration makes all values of the latter.
  static bool IsSplitPair(const std::vector<Expr>& indices, const Made& made, const Expr& iter, int64_t factor) {
    bool quotient = false;
    bool remainder = false;
    for (size_t d = 0; d < indices.size(); ++d) {
      quotient = quotient || StructurallyEqual(indices[d], FloorDiv(iter, Int(factor)));
      if (!StructurallyEqual(indices[d], FloorMod(iter, Int(factor)))) continue;
      remainder =
          ConstantInt(made.box[d].begin) == 0 && made.box[d].extent == factor && made.domain[d].extent == factor;
    }
    return quotient && remainder;
  }

  const LoopNest& nest_;
  const Move& move_;
  const Block& consumer_;
  const std::vector<const Loop*> outer_;  // down to the loop
  int buffer_ = -1;
};

}  // namespace

absl::StatusOr<LoopNest> ReverseComputeAt(const LoopNest& nest, absl::string_view block, absl::string_view loop) {
  TF_ASSIGN_OR_RETURN(const Move move, FindMove(nest, block, loop));
  return Mover(nest, move).Run();
}

}  // namespace tunefleet::codegen
