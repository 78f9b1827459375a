#include "codegen/operators/tolerance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "codegen/operators/blocked.h"
#include "codegen/operators/winograd_transform.h"
#include "codegen/operators/workload.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr double kDeviations = 7;
constexpr double kSecondOrder = 1.01;

double RowNorm(const std::vector<double>& matrix, int64_t row, int64_t columns) {
  double sum = 0;
  for (int64_t i = 0; i < columns; ++i) sum += matrix[row * columns + i] * matrix[row * columns + i];
  return std::sqrt(sum);
}

// Windows of 3 inputs, along an axis, that hold all inputs of a tile.
double Windows(const WinogradTransform& t) { return static_cast<double>(t.stride == 1 ? (t.a + 2) / 3 : t.m); }

// Errors of an output, in units of u L.
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

}  // namespace

absl::StatusOr<std::vector<v1::OutputCheck>> ChecksFor(const v1::Workload& workload, const Reference& reference,
                                                       absl::string_view implementation) {
  std::vector<v1::OutputCheck> checks = reference.checks;
  const std::optional<BlockedImplementation> blocked = FindBlocked(implementation);
  const std::optional<WinogradTransform> winograd = FindWinograd(blocked.has_value() ? blocked->inner : implementation);
  if (!winograd.has_value()) return checks;
  TF_ASSIGN_OR_RETURN(const Conv2dShape shape, Conv2dShapeOf(workload));
  const double error = WinogradError(*winograd, shape.ci) + 1;  // one more rounding for the bias
  for (size_t i = 0; i < checks.size(); ++i) {
    checks[i].set_absolute(error * kUnitRoundoff * reference.magnitudes[i] + std::numeric_limits<float>::min());
  }
  return checks;
}

}  // namespace tunefleet::codegen
