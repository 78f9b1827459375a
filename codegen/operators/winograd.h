// Convolution with 3 x 3 taps by Winograd's minimal filtering (winograd_transform.h).
#ifndef TUNEFLEET_CODEGEN_OPERATORS_WINOGRAD_H_
#define TUNEFLEET_CODEGEN_OPERATORS_WINOGRAD_H_

#include <vector>

#include "codegen/ir/loop_nest.h"
#include "codegen/operators/nested_block.h"
#include "codegen/operators/winograd_transform.h"
#include "codegen/operators/workload.h"

namespace tunefleet::codegen {

// Whether the convolution is of float32, has 3 x 3 taps, the transform's stride, dilation 1 and blocked layouts on both
// sides, and few enough input channels for its errors to be bounded (winograd_error.h).
bool WinogradApplies(const Conv2dShape& shape, const WinogradTransform& transform);

// Appends the blocks of the convolution to `stmts` and nest.prepare, their buffers to the nest. th, tw number the tiles
// of m x m outputs, xi, nu the a x a elements of a transformed tile, co, ci blocks of channels, c, l their lanes. Loops
// are named "<block>_<iterator>", but bear the iterators' names for the last block, conv2d:
//
//   prepare:
//     filter_rows[co, ci, l, c, kw, xi]       = sum over kh of G[xi, kh] * weight
//     filter     [xi, nu, co, ci, l, c]       = sum over kw of filter_rows * G[nu, kw]
//   run:
//     patch      [n, th, tw, ci, j, i, l]     = data, 0 on the padding
//     patch_rows [n, th, tw, ci, j, xi, l]    = sum over i of B^T[xi, i] * patch
//     patches    [xi, nu, n, th, tw, ci, l]   = sum over j of patch_rows * B^T[nu, j]
//     products   [xi, nu, n, th, tw, co, c]  += patches * filter
//     tile_rows  [n, th, tw, co, i, nu, c]    = sum over xi of A^T[i, xi] * products
//     conv2d     [n, co, oh, ow, c]           = sum over nu of tile_rows[..., oh % m, nu] * A^T[ow % m, nu]
//
// products is block multiply: over ci and l, with a guard that leaves out padding lanes.
// Sums over a transform's matrix are written out, so that they fold once the loops over its rows are unrolled.
OutputAxes AddWinograd(const Conv2dShape& shape, const WinogradTransform& transform, int data, int weight, int output,
                       LoopNest& nest, std::vector<Stmt>& stmts);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_WINOGRAD_H_
