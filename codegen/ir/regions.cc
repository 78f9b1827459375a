// WithInferredRegions: what a block reads and writes, from its stores and loads.
#include <algorithm>
#include <map>
#include <utility>

#include "codegen/ir/interval.h"
#include "codegen/ir/linear_form.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {
namespace {

class RegionBuilder {
 public:
  RegionBuilder(const LoopNest& nest, const Block& block) : nest_(nest) {
    for (const BlockIter& iter : block.iters) ranges_[iter.var] = {0, iter.extent - 1};
  }

  void AddWrite(const Store& store) {
    Add(store.buffer, store.indices, &writes_);
    for (const Expr& index : store.indices) AddReads(index);
    AddReads(store.value);
  }

  std::vector<BufferRegion> Reads() && { return Regions(std::move(reads_)); }
  std::vector<BufferRegion> Writes() && { return Regions(std::move(writes_)); }

 private:
  using Boxes = std::map<int, std::vector<Range>>;

  void AddReads(const Expr& expr) {
    if (expr->kind == ExprKind::kLoad) Add(expr->buffer, expr->operands, &reads_);
    for (const Expr& operand : expr->operands) AddReads(operand);
  }

  void Add(int buffer, const std::vector<Expr>& indices, Boxes* boxes) {
    const auto [found, is_new] = boxes->try_emplace(buffer);
    std::vector<Range>& box = found->second;
    for (size_t d = 0; d < indices.size(); ++d) {
      const int64_t extent = nest_.buffers[buffer].shape[d];
      if (is_new) {
        box.push_back(BoundsOf(indices[d], ranges_) ? Range{indices[d], 1} : Range{Int(0), extent});
      } else {
        box[d] = Hull(box[d], indices[d], extent);
      }
    }
  }

  // The smallest range known to hold the range and the index: relative to the range, or else absolute.
  Range Hull(const Range& range, const Expr& index, int64_t buffer_extent) const {
    if (StructurallyEqual(range.begin, index)) return range;
    const std::optional<LinearForm> difference = Difference(index, range.begin);
    const std::optional<Interval> distance = difference ? BoundsOfForm(*difference, ranges_) : std::nullopt;
    const std::optional<Interval> begin = BoundsOf(range.begin, ranges_);
    const std::optional<Interval> other = BoundsOf(index, ranges_);
    if (!begin || !other || !distance) return {Int(0), buffer_extent};
    const int64_t shift = std::min<int64_t>(0, distance->min);
    const Range relative{shift == 0 ? range.begin : ToExpr(LinearFormOf(range.begin + Int(shift))),
                         std::max(range.extent - 1, distance->max) - shift + 1};
    const int64_t low = std::min(begin->min, other->min);
    const Range absolute{Int(low), std::max(begin->max + range.extent - 1, other->max) - low + 1};
    const bool is_fixed = distance->min == distance->max;
    return is_fixed || relative.extent < absolute.extent ? relative : absolute;
  }

  static std::vector<BufferRegion> Regions(Boxes boxes) {
    std::vector<BufferRegion> regions;
    for (auto& [buffer, box] : boxes) regions.push_back({buffer, std::move(box)});
    return regions;
  }

  const LoopNest& nest_;
  VarRanges ranges_;
  Boxes reads_;
  Boxes writes_;
};

}  // namespace

Block WithInferredRegions(const LoopNest& nest, Block block) {
  RegionBuilder builder(nest, block);
  for (const Store& store : block.init) builder.AddWrite(store);
  for (const Store& store : block.body) builder.AddWrite(store);
  block.reads = std::move(builder).Reads();
  block.writes = std::move(builder).Writes();
  return block;
}

}  // namespace tunefleet::codegen
