// Everything from the wire is bounded and checked here, before the core sees it. Pure functions.
//
// Errors: INVALID_ARGUMENT, naming the field, the value seen and what is expected; FAILED_PRECONDITION for a Hello that
// speaks no protocol version of ours.
#ifndef TUNEFLEET_TRACKER_CORE_VALIDATE_H_
#define TUNEFLEET_TRACKER_CORE_VALIDATE_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/fleet.pb.h"
#include "proto/measurement.pb.h"

namespace tunefleet::tracker {

inline constexpr size_t kMaxControlBytes = 64 << 10;  // one message on an agent stream
inline constexpr size_t kMaxTrialBytes = 60 << 10;    // so that an Assign stays under it
inline constexpr int kMaxTrialsPerSubmit = 64;
inline constexpr int kMaxSamplesPerKernel = 256;
inline constexpr size_t kMaxDetailBytes = 512;

// Trial and job ids: 1 to 64 characters [A-Za-z0-9_.-].
absl::Status ValidateId(absl::string_view what, absl::string_view id);
// A SHA-256: 32 bytes.
absl::Status ValidateDigest(absl::string_view what, absl::string_view digest);

absl::Status ValidateHello(const v1::Hello& hello);
absl::Status ValidateLease(const v1::Lease& lease);
// The result belongs to the lease and has an outcome that a device may report.
absl::Status ValidateFinished(const v1::Finished& finished);
// What stands for a result that cannot be recorded as it is: an error of the device that says why. An agent sends a
// result until it is acknowledged, so one that is not answered would come again for ever. Errors: those of
// ValidateLease: not even the lease can be acknowledged.
absl::StatusOr<v1::Finished> RefusedResult(const v1::Lease& lease, const absl::Status& reason);
absl::Status ValidateReturned(const v1::Returned& returned);
// One message of an agent, of whatever kind.
absl::Status ValidateAgentMessage(const v1::AgentMessage& message);

absl::Status ValidateTrial(const v1::Trial& trial);
absl::Status ValidateOpenJob(const v1::OpenJobRequest& request);
absl::Status ValidateSubmit(const v1::SubmitRequest& request);

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_CORE_VALIDATE_H_
