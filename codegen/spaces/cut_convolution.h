// The end of a convolution's schedule, the same for all that run loops "oh.o" and "ow.o" over output tiles around taps
// "kh" and "kw": tiles cut at the edges, and what runs in parallel.
#ifndef TUNEFLEET_CODEGEN_SPACES_CUT_CONVOLUTION_H_
#define TUNEFLEET_CODEGEN_SPACES_CUT_CONVOLUTION_H_

#include <cstdint>
#include <vector>

#include "codegen/primitives/schedule.h"
#include "codegen/spaces/edge_parts.h"

namespace tunefleet::codegen {

struct ConvolutionCut {
  std::vector<EdgeCut> cuts;          // the tile loops, outermost first
  int64_t unrolled_taps = 0;          // unrolled already: 0: none, 1: kw, 2: kh and kw
  int64_t parallel_cuts = 0;          // of the outermost tile loops; 2 only when none of them is cut
  std::vector<EdgeCut> channel_cuts;  // inside the tile loops
  bool batched = false;               // loop "n" is around the tile loops; it joins those that are parallel
};

// Cuts the loops. In tiles that padding or a tail touches, the taps are unrolled, so that those outside are skipped.
// `channel_cuts` apply in every part.
void CutConvolution(const ConvolutionCut& convolution, ScheduleBuilder& schedule);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_CUT_CONVOLUTION_H_
