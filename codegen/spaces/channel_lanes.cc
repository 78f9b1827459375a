#include "codegen/spaces/channel_lanes.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace tunefleet::codegen {

ChannelLanes ChannelLanesOf(int64_t channels, int64_t channel_block, const VectorUnit& unit) {
  if (channel_block == 0) {
    return {.plain = true, .width = unit.lanes, .vectors = 1, .groups = (channels + unit.lanes - 1) / unit.lanes};
  }
  const int64_t width = std::min(channel_block, unit.lanes);
  return {.plain = false,
          .width = width,
          .vectors = channel_block / width,
          .groups = (channels + channel_block - 1) / channel_block};
}

std::vector<std::string> ChannelLanes::InnerLoops() const {
  if (vectors == 1) return {parts == 1 ? "c" : "c.v"};
  return {"c.o", "c.v"};
}

ChannelLanes InParts(ChannelLanes lanes, int64_t parts) {
  lanes.vectors /= parts;
  lanes.parts = parts;
  return lanes;
}

void SplitChannels(const ChannelLanes& lanes, int64_t block, int64_t tile, ScheduleBuilder& schedule) {
  std::vector<int64_t> factors = {0, tile};
  std::vector<std::string> loops = {"co.o", "co.i"};
  if (block > 0) {
    factors.insert(factors.begin() + 1, block);
    loops.insert(loops.begin(), "co.b");
  }
  if (lanes.plain) {
    factors.push_back(lanes.width);
    loops.push_back("c");
  }
  schedule.Split("co", factors, loops);
  if (lanes.plain || lanes.vectors * lanes.parts == 1) return;
  std::vector<int64_t> in_group = {0, lanes.width};
  std::vector<std::string> group_loops = lanes.InnerLoops();
  if (lanes.parts > 1) {
    if (lanes.vectors > 1) in_group.insert(in_group.begin() + 1, lanes.vectors);
    group_loops.insert(group_loops.begin(), "c.t");
  }
  schedule.Split("c", in_group, group_loops);
}

void UnrollTile(const ChannelLanes& lanes, const OutputTile& tile, ScheduleBuilder& schedule) {
  for (const std::string& block : tile.blocks()) {
    const std::string oh = tile.Loop(block, "oh");
    const std::string ow = tile.Loop(block, "ow");
    std::vector<std::string> unrolled;
    std::string vector;
    if (lanes.plain) {
      vector = absl::StrCat(block, ".c");
      unrolled = {absl::StrCat(block, ".co.i"), oh, ow};
      schedule.Split(tile.Loop(block, "co"), {0, lanes.width}, {unrolled[0], vector});
      schedule.Reorder({unrolled[0], oh, ow, vector});
    } else {
      vector = tile.Loop(block, "c");
      unrolled = {tile.Loop(block, "co"), oh, ow};
      if (lanes.vectors > 1) {
        unrolled.push_back(absl::StrCat(block, ".c.o"));
        schedule.Split(vector, {0, lanes.width}, {unrolled.back(), absl::StrCat(block, ".c.v")});
        vector = absl::StrCat(block, ".c.v");
      }
    }
    for (const std::string& loop : unrolled) schedule.Unroll(loop);
    schedule.Vectorize(vector);
  }
}

}  // namespace tunefleet::codegen
