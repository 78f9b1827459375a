// Whether a trial from the wire can be carried out here: everything is bounded before it is used.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_TRIAL_CHECK_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_TRIAL_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proto/measurement.pb.h"

namespace tunefleet::device {

// Errors: INVALID_ARGUMENT names the field, its value and what is expected.
absl::Status CheckTrial(const v1::Trial& trial);

// Digests of all the blobs that the trial needs, each once.
std::vector<std::string> BlobsOf(const v1::Trial& trial);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_TRIAL_CHECK_H_
