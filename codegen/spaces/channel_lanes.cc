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
  if (vectors == 1) return {"c"};
  return {"c.o", "c.v"};
}

void SplitChannels(const ChannelLanes& lanes, int64_t tile, ScheduleBuilder& schedule) {
  if (lanes.plain) {
    schedule.Split("co", {0, tile, lanes.width}, {"co.o", "co.i", "c"});
    return;
  }
  schedule.Split("co", {0, tile}, {"co.o", "co.i"});
  if (lanes.vectors > 1) schedule.Split("c", {0, lanes.width}, {"c.o", "c.v"});
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
