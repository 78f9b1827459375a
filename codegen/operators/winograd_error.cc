#include "codegen/operators/winograd_error.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "codegen/operators/reference.h"

namespace tunefleet::codegen {
namespace {

constexpr double kDeviations = 7;
constexpr double kSecondOrder = 1.01;
constexpr double kMostOfAnOutput = 0.5;

double RowNorm(const std::vector<double>& matrix, int64_t row, int64_t columns) {
  double sum = 0;
  for (int64_t i = 0; i < columns; ++i) sum += matrix[row * columns + i] * matrix[row * columns + i];
  return std::sqrt(sum);
}

// Windows of 3 inputs, along an axis, that hold all inputs of a tile.
double Windows(const WinogradTransform& t) { return static_cast<double>(t.stride == 1 ? (t.a + 2) / 3 : t.m); }

}  // namespace

double WinogradError(const WinogradTransform& t, int64_t input_channels) {
  double s1 = 0;
  double s2_squared = 0;
  for (int64_t y = 0; y < t.m; ++y) {
    double sum = 0;
    double squares = 0;
    for (int64_t xi = 0; xi < t.a; ++xi) {
      const double w = std::abs(t.output[y * t.a + xi]) * RowNorm(t.filter, xi, 3) * RowNorm(t.input, xi, t.a);
      sum += w;
      squares += w * w;
    }
    s1 = std::max(s1, sum);
    s2_squared = std::max(s2_squared, squares);
  }
  const double s1_squared = s1 * s1;
  const auto a = static_cast<double>(t.a);
  const double sum = (3 + 2 * a) * s1_squared * s2_squared +
                     (3 + a + static_cast<double>(input_channels)) * s2_squared * s2_squared +
                     a * s1_squared * s1_squared;
  return kSecondOrder * Windows(t) * (kDeviations * std::sqrt(sum) + 2 * s1_squared);
}

bool WinogradErrorIsBounded(const WinogradTransform& t, int64_t input_channels) {
  // Of K random products an output is about L / sqrt(K).
  const double products = 9 * static_cast<double>(input_channels);
  return WinogradError(t, input_channels) * kUnitRoundoff * std::sqrt(products) <= kMostOfAnOutput;
}

}  // namespace tunefleet::codegen
