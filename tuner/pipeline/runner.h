// Runner: the seam between the pipeline and devices. Implementations: tuner/fleet (the tracker's client), fakes in
// tests.
#ifndef TUNEFLEET_TUNER_PIPELINE_RUNNER_H_
#define TUNEFLEET_TUNER_PIPELINE_RUNNER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/measurement.pb.h"

namespace tunefleet::tuner {

struct FinishedTrial {
  uint64_t cursor = 0;  // position in the job's results
  v1::TrialResult result;
};

// Thread-safe.
class Runner {
 public:
  virtual ~Runner() = default;
  // Makes a blob available to later trials (uploads it when it is missing). Returns once it is durable. Idempotent.
  virtual absl::Status Provide(const std::string& digest, const std::string& bytes) = 0;
  // Hands a trial over; returns once the fleet owns it durably. Idempotent by trial id. Waits through reconnects;
  // Errors: INVALID_ARGUMENT (malformed), UNAVAILABLE (gave up after the runner's patience), CANCELLED (Close was
  // called).
  virtual absl::Status Submit(const v1::Trial& trial) = 0;
  // Next result in cursor order, at least once each: acknowledged ones do not return. Nullopt when the time is up.
  // Errors: UNAVAILABLE, CANCELLED.
  virtual absl::StatusOr<std::optional<FinishedTrial>> Next(absl::Duration timeout) = 0;
  // Results up to the cursor are recorded by the caller: the fleet may forget them.
  virtual absl::Status Acknowledge(uint64_t cursor) = 0;
  // True while results that were there when the job was opened have not come out of Next.
  virtual bool HasBacklog() = 0;
  // Busy share of the devices that serve this job since it began, 0 to 1.
  virtual double DeviceBusy() = 0;
  // Unblocks every waiting call.
  virtual void Close() = 0;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_RUNNER_H_
