#include "codegen/operators/tolerance.h"

#include <limits>
#include <optional>

#include "codegen/operators/blocked.h"
#include "codegen/operators/winograd_error.h"
#include "codegen/operators/winograd_transform.h"
#include "codegen/operators/workload.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
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
