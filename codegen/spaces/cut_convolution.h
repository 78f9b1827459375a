// The end of a convolution's schedule, the same for all that run loops "oh.o" and "ow.o" over output tiles around taps
// "kh" and "kw": tiles cut at the edges, and what runs in parallel.
#ifndef TUNEFLEET_CODEGEN_SPACES_CUT_CONVOLUTION_H_
#define TUNEFLEET_CODEGEN_SPACES_CUT_CONVOLUTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/primitives/schedule.h"
#include "codegen/spaces/edge_parts.h"

namespace tunefleet::codegen {

struct ConvolutionCut {
  std::vector<EdgeCut> cuts;          // the tile loops, outermost first
  int64_t unrolled_taps = 0;          // unrolled already: 0: none, 1: kw, 2: kh and kw
  bool skips_taps = false;            // in tiles that padding touches: the taps there are unrolled
  std::vector<std::string> tasks;     // loops that become parallel: one, or several adjacent ones that are not cut
  std::vector<EdgeCut> channel_cuts;  // inside the tile loops
};

// Tasks that are the outermost `count` tile loops, within loop "n" where there is more than one image.
std::vector<std::string> TileTasks(const std::vector<EdgeCut>& cuts, int64_t count, bool batched);

// Cuts the loops. `channel_cuts` apply in every part.
void CutConvolution(const ConvolutionCut& convolution, ScheduleBuilder& schedule);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_CUT_CONVOLUTION_H_
