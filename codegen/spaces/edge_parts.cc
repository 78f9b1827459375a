#include "codegen/spaces/edge_parts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kMostSingles = 2;  // unclean tiles on one side that get a part each

// The tiles whose first tap is an input, whose last tap is one, and whose outputs are all there; begin <= end.
std::pair<int64_t, int64_t> CleanTiles(const TiledAxis& axis) {
  const int64_t whole = axis.outputs / axis.tile;
  if (axis.size == 0) return {0, whole};
  const int64_t step = axis.tile * axis.stride;
  const int64_t begin = (axis.padding + step - 1) / step;
  const int64_t last_begin = axis.size + axis.padding - axis.reach - (axis.tile - 1) * axis.stride;  // in inputs
  const int64_t end = last_begin < 0 ? 0 : std::min(whole, last_begin / step + 1);
  return begin < end ? std::pair(begin, end) : std::pair<int64_t, int64_t>(0, 0);
}

void AddUnclean(int64_t begin, int64_t end, std::vector<EdgePart>& parts) {
  if (end - begin > kMostSingles) {
    parts.push_back({begin, end, false});
    return;
  }
  for (int64_t tile = begin; tile < end; ++tile) parts.push_back({tile, tile + 1, false});
}

std::vector<std::string> Suffixes(const std::string& tag, size_t parts) {
  if (parts == 1) return {""};
  std::vector<std::string> suffixes;
  for (size_t i = 0; i < parts; ++i) suffixes.push_back(absl::StrCat(".", tag, i));
  return suffixes;
}

void PartitionBelow(const std::vector<EdgeCut>& cuts, EdgeLeaf leaf, ScheduleBuilder& schedule,
                    std::vector<EdgeLeaf>& leaves) {
  if (leaf.clean.size() == cuts.size()) {
    leaves.push_back(std::move(leaf));
    return;
  }
  const EdgeCut& cut = cuts[leaf.clean.size()];
  const std::vector<EdgePart>& parts = cut.PartsIn(leaf.clean);
  const std::vector<std::string> suffixes = Suffixes(cut.tag, parts.size());
  std::vector<int64_t> points;
  for (size_t i = 1; i < parts.size(); ++i) points.push_back(parts[i].begin);
  if (!points.empty()) schedule.Partition(absl::StrCat(cut.loop, leaf.suffix), points, suffixes);
  for (size_t i = 0; i < parts.size(); ++i) {
    EdgeLeaf below = leaf;
    below.suffix += suffixes[i];
    below.clean.push_back(parts[i].clean);
    PartitionBelow(cuts, std::move(below), schedule, leaves);
  }
}

int64_t CountLeavesBelow(const std::vector<EdgeCut>& cuts, std::vector<bool> clean) {
  if (clean.size() == cuts.size()) return 1;
  int64_t leaves = 0;
  for (const EdgePart& part : cuts[clean.size()].PartsIn(clean)) {
    clean.push_back(part.clean);
    leaves += CountLeavesBelow(cuts, clean);
    clean.pop_back();
  }
  return leaves;
}

}  // namespace

std::vector<EdgePart> EdgeParts(const TiledAxis& axis) {
  const int64_t tiles = axis.Tiles();
  const auto [clean_begin, clean_end] = CleanTiles(axis);
  std::vector<EdgePart> parts;
  AddUnclean(0, clean_begin, parts);
  if (clean_end > clean_begin) parts.push_back({clean_begin, clean_end, true});
  AddUnclean(clean_end, tiles, parts);
  return parts;
}

std::vector<EdgeCut> ChannelCuts(const std::string& block_loop, const std::string& lane_loop, int64_t channels,
                                 int64_t block, int64_t unroll) {
  const int64_t rest = channels % block;
  if (rest == 0) return {};
  const int64_t steps = block / unroll;
  std::vector<EdgePart> last = EdgeParts({.outputs = rest, .tile = unroll});
  if (last.back().end < steps) last.push_back({last.back().end, steps, false});
  return {{block_loop, EdgeParts({.outputs = channels, .tile = block}), "i"},
          {lane_loop, {{0, steps, true}}, "l", 0, std::move(last)}};
}

std::vector<std::string> PartLoops(const EdgeCut& cut) { return PartLoops({cut}, 0); }

std::vector<std::string> PartLoops(const std::vector<EdgeCut>& cuts, size_t number) {
  std::vector<EdgeLeaf> leaves = {EdgeLeaf()};
  for (size_t i = 0; i <= number; ++i) {
    std::vector<EdgeLeaf> inside;
    for (const EdgeLeaf& leaf : leaves) {
      const std::vector<EdgePart>& parts = cuts[i].PartsIn(leaf.clean);
      const std::vector<std::string> suffixes = Suffixes(cuts[i].tag, parts.size());
      for (size_t part = 0; part < parts.size(); ++part) {
        inside.push_back({leaf.suffix + suffixes[part], leaf.clean});
        inside.back().clean.push_back(parts[part].clean);
      }
    }
    leaves = std::move(inside);
  }
  std::vector<std::string> loops;
  for (const EdgeLeaf& leaf : leaves) loops.push_back(cuts[number].loop + leaf.suffix);
  return loops;
}

std::vector<EdgeLeaf> PartitionEdges(const std::vector<EdgeCut>& cuts, ScheduleBuilder& schedule) {
  std::vector<EdgeLeaf> leaves;
  PartitionBelow(cuts, {}, schedule, leaves);
  return leaves;
}

int64_t CountLeaves(const std::vector<EdgeCut>& cuts) { return CountLeavesBelow(cuts, {}); }

}  // namespace tunefleet::codegen
