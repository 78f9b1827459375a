// The matrices of Winograd's minimal filtering of 3 taps along an axis: m outputs y of stride 1 or 2 from the inputs d
// that they see are
//
//   y = A^T [ (G g) . (B^T d) ]      (. element by element)
//
// with a multiplications. Along both axes of an image a tile of m x m outputs is A^T [ (G g G^T) . (B^T d B) ] A (Lavin
// and Gray, Fast Algorithms for Convolutional Neural Networks, 2015).
//
// Stride 1: F(m, 3), a = m + 2. The points of interpolation are 0, 1, -1, infinity for m = 2, 2 besides for m = 3, -2
// as well for m = 4, further 1/2, -1/2 for m = 6.
//
// Stride 2: taps 0 and 2 meet inputs of even places only, tap 1 those of odd places only. So y is the sum of a filter
// of 2 taps over the even phase, F(m, 2) with m + 1 points (0, 1, infinity for m = 2, -1 besides for m = 3, 2 as well
// for m = 4), and of one tap over the odd phase, m multiplications: a = 2 m + 1 instead of 3 m.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_WINOGRAD_TRANSFORM_H_
#define TUNEFLEET_CODEGEN_OPERATORS_WINOGRAD_TRANSFORM_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tunefleet::codegen {

struct WinogradTransform {
  int64_t stride;
  int64_t m;                   // outputs of a tile, along each axis
  int64_t a;                   // inputs of a tile, and multiplications, along each axis
  std::vector<double> filter;  // G: a x 3, row-major
  std::vector<double> input;   // B^T: a x a
  std::vector<double> output;  // A^T: m x a
};

// All there are.
std::vector<WinogradTransform> WinogradTransforms();
// The name of its implementation: "winograd.4", "winograd_stride2.2".
std::string WinogradName(const WinogradTransform& transform);
// Of an implementation's name; nullopt when it is another implementation.
std::optional<WinogradTransform> FindWinograd(absl::string_view implementation);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_WINOGRAD_TRANSFORM_H_
