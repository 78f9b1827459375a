// The Runner that hands trials to a tracker (proto/fleet.proto) and reads their results back.
//
// Every call survives the loss of the tracker for `patience`: it is repeated, with growing pauses, until the tracker
// answers. All of them are idempotent. Results come over one stream that is resumed behind the last one received, so
// that each arrives once and in order. One thread reads the stream; the other calls run on their callers' threads.
#ifndef TUNEFLEET_TUNER_FLEET_TRACKER_RUNNER_H_
#define TUNEFLEET_TUNER_FLEET_TRACKER_RUNNER_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tuner/pipeline/runner.h"

namespace tunefleet::tuner {

struct TrackerRunnerOptions {
  std::string address;  // HOST:PORT or unix:PATH
  std::string job_id;   // the same job after a restart: its unacknowledged results come again
  std::string tenant;
  int priority = 0;
  std::map<std::string, std::string> labels;
  std::string device_class;  // whose devices DeviceBusy looks at; empty: all
  absl::Duration expire_after = absl::Hours(24);
  absl::Duration call_timeout = absl::Seconds(10);   // of one attempt
  absl::Duration patience = absl::Minutes(10);       // of all attempts of one call
  absl::Duration first_patience = absl::Seconds(5);  // the same for opening the job
};

// Opens the job. Errors: INVALID_ARGUMENT (address, job id), UNAVAILABLE (nobody answers there).
absl::StatusOr<std::unique_ptr<Runner>> ConnectTrackerRunner(const TrackerRunnerOptions& options);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_FLEET_TRACKER_RUNNER_H_
