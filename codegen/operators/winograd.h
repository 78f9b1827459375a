// Winograd's minimal filtering F(m x m, 3 x 3) of a convolution with 3 x 3 taps, stride 1 and dilation 1: each tile of
// m x m outputs is
//
//   A^T [ sum over ci of (G g G^T) . (B^T d B) ] A      (. element by element)
//
// of the filter g and the a x a inputs d that it sees, a = m + 2. It takes a^2 multiplications for m^2 outputs instead
// of 9 m^2 (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015). The points of interpolation are
// 0, 1, -1, infinity for m = 2, further 2, -2 for m = 4, further 1/2, -1/2 for m = 6.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_WINOGRAD_H_
#define TUNEFLEET_CODEGEN_OPERATORS_WINOGRAD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"
#include "codegen/operators/nested_block.h"
#include "codegen/operators/workload.h"

namespace tunefleet::codegen {

struct WinogradTransform {
  int64_t m;                   // outputs of a tile, along each axis
  std::vector<double> filter;  // G: a x 3
  std::vector<double> input;   // B^T: a x a
  std::vector<double> output;  // A^T: m x a
  int64_t a() const { return m + 2; }
};

// m is 2, 4 or 6.
WinogradTransform MakeWinograd(int64_t m);
// The name of the implementation: "winograd.4".
std::string WinogradName(int64_t m);
// Of an implementation's name; nullopt when it is another implementation.
std::optional<WinogradTransform> FindWinograd(absl::string_view implementation);

// Whether the convolution has 3 x 3 taps, stride 1, dilation 1 and blocked layouts on both sides.
bool WinogradApplies(const Conv2dShape& shape);

// Appends the blocks of the convolution to `stmts` and nest.prepare, their buffers to the nest. th, tw number the tiles
// of m x m outputs, xi, nu the a x a elements of a transformed tile, co, ci blocks of channels, c, l their lanes. Loops
// are named "<block>_<iterator>", but bear the iterators' names for the last block, conv2d:
//
//   prepare:
//     filter_rows[co, ci, l, c, kw, xi]       = sum over kh of G[xi, kh] * weight
//     filter     [xi, nu, co, ci, l, c]       = sum over kw of filter_rows * G[nu, kw]       iterated over co ci l c xi
//     nu
//   run:
//     patch      [n, th, tw, ci, j, i, l]     = data, 0 on the padding
//     patch_rows [n, th, tw, ci, j, xi, l]    = sum over i of B^T[xi, i] * patch
//     patches    [xi, nu, n, th, tw, ci, l]   = sum over j of patch_rows * B^T[nu, j]        iterated over n th tw ci
//     xi nu l products   [xi, nu, n, th, tw, co, c]  += patches * filter                             block multiply;
//     over ci, l tile_rows  [n, th, tw, co, i, nu, c]    = sum over xi of A^T[i, xi] * products conv2d     [n, co, oh,
//     ow, c]           = sum over nu of tile_rows[..., oh % m, nu] * A^T[ow % m, nu]
//
// Sums over a transform's matrix are written out, so that they fold once the loops over its rows are unrolled.
OutputAxes AddWinograd(const Conv2dShape& shape, const WinogradTransform& transform, int data, int weight, int output,
                       LoopNest& nest, std::vector<Stmt>& stmts);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_WINOGRAD_H_
