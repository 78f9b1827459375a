// Where along a tiled spatial axis the tiles are clean, and where padding or the tail of a non-dividing tile touches
// them.
#ifndef TUNEFLEET_CODEGEN_SPACES_EDGE_PARTS_H_
#define TUNEFLEET_CODEGEN_SPACES_EDGE_PARTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/primitives/schedule.h"

namespace tunefleet::codegen {

// Output o of `outputs` reads inputs [o * stride - padding, o * stride - padding + reach) of `size`.
struct TiledAxis {
  int64_t outputs;
  int64_t tile;
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t reach = 1;
  int64_t size = 0;  // 0: every input that is read is there

  int64_t Tiles() const { return (outputs + tile - 1) / tile; }
};

struct EdgePart {
  int64_t begin;  // in tiles
  int64_t end;
  bool clean;  // no tap falls outside and no output past the end, in any tile of the part
};

// The axis's tiles, cut into runs: the clean ones in one part, every other tile in one of its own (long runs of them in
// one part). At least one part.
std::vector<EdgePart> EdgeParts(const TiledAxis& axis);

// A loop over tiles and its parts; `tag` (one letter) tells the parts' suffixes from those of other loops.
struct EdgeCut {
  std::string loop;
  std::vector<EdgePart> parts;
  std::string tag;
  // A loop over the tiles of a cache block, which cut number `block` runs over: the parts where that cut is not clean.
  int block = -1;
  std::vector<EdgePart> parts_in_last_block;

  const std::vector<EdgePart>& PartsIn(const std::vector<bool>& outer_clean) const {
    return block >= 0 && !outer_clean[block] ? parts_in_last_block : parts;
  }
};

// One combination of parts: what was appended to the names below, and which cuts are clean there.
struct EdgeLeaf {
  std::string suffix;
  std::vector<bool> clean;  // per cut
};

// Cuts of a reduction over blocks of input channels, and over the lanes of a block, `unroll` at a time, that leave out
// the padding lanes of the last block. None when there are no such lanes.
std::vector<EdgeCut> ChannelCuts(const std::string& block_loop, const std::string& lane_loop, int64_t channels,
                                 int64_t block, int64_t unroll);

// Names of the outermost cut loop's parts, or of those of cut number `number`.
std::vector<std::string> PartLoops(const EdgeCut& cut);
std::vector<std::string> PartLoops(const std::vector<EdgeCut>& cuts, size_t number);
// Cuts the loops, outermost first. Loops with one part stay whole.
std::vector<EdgeLeaf> PartitionEdges(const std::vector<EdgeCut>& cuts, ScheduleBuilder& schedule);
// How many leaves that makes.
int64_t CountLeaves(const std::vector<EdgeCut>& cuts);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_EDGE_PARTS_H_
