// How long a started trial may take before its lease is lost. Pure functions.
#ifndef TUNEFLEET_TRACKER_CORE_DEADLINE_H_
#define TUNEFLEET_TRACKER_CORE_DEADLINE_H_

#include "absl/time/time.h"
#include "proto/measurement.pb.h"

namespace tunefleet::tracker {

// No duration of a trial's options may be longer.
inline constexpr absl::Duration kMaxOptionDuration = absl::Hours(1);

// Kernels times (load_timeout + run_budget + kernel_timeout), plus slack, plus kReferenceAllowance where the device
// computes a reference. An option left unset counts as 60 s: more
// than any agent's default.
absl::Duration LeaseDeadline(const v1::Trial& trial, absl::Duration slack);

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_CORE_DEADLINE_H_
