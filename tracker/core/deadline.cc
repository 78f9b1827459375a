#include "tracker/core/deadline.h"

#include <algorithm>

#include "common/proto_time.h"
#include "common/reference_time.h"

namespace tunefleet::tracker {
namespace {

constexpr absl::Duration kUnset = absl::Seconds(60);

absl::Duration OrDefault(const google::protobuf::Duration& duration) {
  const absl::Duration value = common::DurationFromProto(duration);
  return value > absl::ZeroDuration() ? value : kUnset;
}

}  // namespace

absl::Duration LeaseDeadline(const v1::Trial& trial, absl::Duration slack) {
  const v1::MeasureOptions& options = trial.options();
  const absl::Duration one_kernel =
      OrDefault(options.load_timeout()) + OrDefault(options.run_budget()) + OrDefault(options.kernel_timeout());
  const bool on_device = std::any_of(trial.kernels().begin(), trial.kernels().end(),
                                     [](const v1::Kernel& kernel) { return kernel.has_reference(); });
  return std::max(trial.kernels_size(), 1) * one_kernel + slack +
         (on_device ? common::kReferenceAllowance : absl::ZeroDuration());
}

}  // namespace tunefleet::tracker
