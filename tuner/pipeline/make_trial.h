// What a device is asked: built candidates as a Trial.
#ifndef TUNEFLEET_TUNER_PIPELINE_MAKE_TRIAL_H_
#define TUNEFLEET_TUNER_PIPELINE_MAKE_TRIAL_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/measurement.pb.h"
#include "tuner/pipeline/candidate.h"
#include "tuner/pipeline/tuning_task.h"

namespace tunefleet::tuner {

// Fills and checks of the task's reference, and its kernel where it has one, find their buffers by the tensors' names;
// tolerances are those of the candidate's implementation, threads are the target's. Errors: INTERNAL (a manifest lacks
// a tensor).
absl::StatusOr<v1::Trial> MakeTrial(const TuningTask& task, const std::string& trial_id,
                                    const std::vector<BuiltCandidate>& kernels, const v1::MeasureOptions& options);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_MAKE_TRIAL_H_
