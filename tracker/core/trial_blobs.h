// What the tracker reads out of a trial: the blobs it names and what makes two trials the same. Pure functions.
#ifndef TUNEFLEET_TRACKER_CORE_TRIAL_BLOBS_H_
#define TUNEFLEET_TRACKER_CORE_TRIAL_BLOBS_H_

#include <string>
#include <vector>

#include "proto/measurement.pb.h"

namespace tunefleet::tracker {

// Kernels' code, fills, references. Each once, in order of first use.
std::vector<std::string> TrialBlobs(const v1::Trial& trial);

// Equal for trials that measure the same: everything but trial_id and labels.
std::string TrialIdentity(const v1::Trial& trial);

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_CORE_TRIAL_BLOBS_H_
