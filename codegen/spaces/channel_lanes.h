// How the channels of a convolution's output become vectors.
//
//   blocked layout: a block of b channels is b / width vectors
//   plain layout:   `width` channels of the channel loop are one vector
#ifndef TUNEFLEET_CODEGEN_SPACES_CHANNEL_LANES_H_
#define TUNEFLEET_CODEGEN_SPACES_CHANNEL_LANES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/primitives/schedule.h"
#include "codegen/spaces/output_tile.h"
#include "codegen/spaces/vector_unit.h"

namespace tunefleet::codegen {

struct ChannelLanes {
  bool plain;
  int64_t width;      // channels in a vector
  int64_t vectors;    // vectors in a channel group, or in a part of one
  int64_t groups;     // channel groups: blocks, or vectors' worth of plain channels
  int64_t parts = 1;  // of a group, which a loop goes through

  int64_t PartChannels() const { return width * vectors; }
  // Names of the anchor's channel loops inside a part: those to unroll (perhaps none), and the one to vectorize.
  std::vector<std::string> InnerLoops() const;
};

ChannelLanes ChannelLanesOf(int64_t channels, int64_t channel_block, const VectorUnit& unit);

// The same vectors in parts of a group; `parts` divides them.
ChannelLanes InParts(ChannelLanes lanes, int64_t parts);

// Splits the anchor's channel loops into co.o, co.i (`tile` groups), c.t (parts, where there are several) and
// InnerLoops(); with `block` > 0, co.o into co.b and co.o (`block` tiles).
void SplitChannels(const ChannelLanes& lanes, int64_t block, int64_t tile, ScheduleBuilder& schedule);

// The blocks of the output tile, whose loops are over axes co, oh, ow (and c): everything unrolled around one vector.
void UnrollTile(const ChannelLanes& lanes, const OutputTile& tile, ScheduleBuilder& schedule);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_CHANNEL_LANES_H_
