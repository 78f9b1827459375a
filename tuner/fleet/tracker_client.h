// Questions to a tracker that need no job: what devices and jobs there are, how a device is. They are asked again until
// the timeout while nobody listens.
#ifndef TUNEFLEET_TUNER_FLEET_TRACKER_CLIENT_H_
#define TUNEFLEET_TUNER_FLEET_TRACKER_CLIENT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/fleet.pb.h"

namespace tunefleet::tuner {

// Errors: INVALID_ARGUMENT (address), UNAVAILABLE (nobody answers there within the timeout, and why).
absl::StatusOr<v1::ListDevicesResponse> ListDevices(const std::string& address,
                                                    absl::Duration timeout = absl::Seconds(5));
// Has a device checked; waits for the trial that it is at, too. Errors: also the tracker's own (proto/fleet.proto).
absl::StatusOr<v1::ProbeDeviceResponse> ProbeDevice(const std::string& address, const std::string& device_id,
                                                    absl::Duration timeout = absl::Minutes(3));
absl::StatusOr<v1::ListJobsResponse> ListJobs(const std::string& address, absl::Duration timeout = absl::Seconds(5));

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_FLEET_TRACKER_CLIENT_H_
