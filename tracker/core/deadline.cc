#include "tracker/core/deadline.h"

#include <algorithm>

#include "common/reference_time.h"

namespace tunefleet::tracker {
namespace {

constexpr absl::Duration kUnset = absl::Seconds(60);

absl::Duration OrDefault(const google::protobuf::Duration& duration) {
  const absl::Duration value = DurationFromProto(duration);
  return value > absl::ZeroDuration() ? value : kUnset;
}

}  // namespace

absl::Duration DurationFromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

google::protobuf::Duration DurationToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

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
