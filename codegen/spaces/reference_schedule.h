// How a device computes a reference itself: in double precision, plainly, yet in bearable time.
#ifndef TUNEFLEET_CODEGEN_SPACES_REFERENCE_SCHEDULE_H_
#define TUNEFLEET_CODEGEN_SPACES_REFERENCE_SCHEDULE_H_

#include "absl/status/statusor.h"
#include "proto/schedule.pb.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

// Of the implementation "direct.f64": the anchor's innermost output axis in vectors, inside the sums; its outermost
// axis of some length in parallel. Errors: INVALID_ARGUMENT (a malformed workload).
absl::StatusOr<v1::Schedule> ReferenceSchedule(const v1::Workload& workload);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_REFERENCE_SCHEDULE_H_
