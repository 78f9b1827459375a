// OutputTile: the register tile in which an anchor accumulates, and the epilogue that carries it out.
//
// Without an epilogue, the anchor's result is accumulated in a new local buffer and copied to the output. With one, the
// intermediate tensors themselves become local and the epilogue's blocks carry the tile out. Either way a list of
// `carriers`, blocks with one iterator per dimension of the output, runs once per tile.
//
// A sum that takes several passes over the tile adds to the result in memory at the end of each, and the epilogue runs
// when all is summed up.
#ifndef TUNEFLEET_CODEGEN_SPACES_OUTPUT_TILE_H_
#define TUNEFLEET_CODEGEN_SPACES_OUTPUT_TILE_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "codegen/primitives/schedule.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

class OutputTile {
 public:
  enum class Passes { kOne, kSeveral };

  // Writes the calls that make the tile. `axes` names the anchor's iterator of each dimension of the output.
  OutputTile(const v1::Workload& workload, std::vector<std::string> axes, Passes passes, ScheduleBuilder* schedule);

  // Gives the local buffers another layout.
  void TransformLayout(const std::vector<std::string>& terms);
  // Runs the carriers once per iteration of the loop.
  void PlaceCarriersAt(absl::string_view loop);
  // The same, then takes the init out of the reduction, before its outermost
  // loop, as block "init". In several passes, the blocks that begin and end one take the carriers' place.
  void PlaceAt(absl::string_view loop, absl::string_view reduction);
  // In several passes only: runs the epilogue once per iteration of the loop. Returns its block, "" if there is none.
  std::string PlaceEpilogueAt(absl::string_view loop);

  // Blocks that run over the tile: the carriers and, once placed, the init.
  const std::vector<std::string>& blocks() const { return blocks_; }
  // The block's loop over an axis.
  std::string Loop(const std::string& block, absl::string_view axis) const;

 private:
  std::string anchor_;
  std::vector<std::string> epilogue_;  // blocks after the anchor
  std::vector<std::string> axes_;
  Passes passes_;
  ScheduleBuilder* const schedule_;  // borrowed
  std::vector<std::string> locals_;
  std::vector<std::string> blocks_;
  bool copies_ = false;  // the only carrier is a copy, with iterators d0, d1, ...
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_OUTPUT_TILE_H_
