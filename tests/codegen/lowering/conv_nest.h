// A direct convolution as a loop nest written by hand: ResNet-18's C6 (128 x 28 x 28 -> 128, 3x3, stride 1, padding 1),
// NCHW16c, with a register tile of `tile_co` channel blocks by `tile_w` columns.
#ifndef TUNEFLEET_TESTS_CODEGEN_LOWERING_CONV_NEST_H_
#define TUNEFLEET_TESTS_CODEGEN_LOWERING_CONV_NEST_H_

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

struct ConvShape {
  int64_t blocks_in = 8;  // of `lanes` channels
  int64_t blocks_out = 8;
  int64_t size = 28;
  int64_t lanes = 16;

  double Flops() const { return 2.0 * static_cast<double>(blocks_in * blocks_out * lanes * lanes * size * size * 9); }
};

struct ConvTiling {
  int64_t tile_co = 2;
  int64_t tile_w = 14;
  LoopKind tiles = LoopKind::kUnrolled;  // of the loop over column tiles: unrolled, padding is proven away
  LoopKind kw = LoopKind::kUnrolled;
  int64_t unroll_ci = 1;
  LoopKind outer = LoopKind::kSerial;
};

LoopNest ConvNest(const ConvShape& shape, const ConvTiling& tiling);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_LOWERING_CONV_NEST_H_
