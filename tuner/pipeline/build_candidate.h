// From a candidate to its artifact.
#ifndef TUNEFLEET_TUNER_PIPELINE_BUILD_CANDIDATE_H_
#define TUNEFLEET_TUNER_PIPELINE_BUILD_CANDIDATE_H_

#include "tuner/pipeline/builder.h"
#include "tuner/pipeline/candidate.h"
#include "tuner/pipeline/tuning_task.h"

namespace tunefleet::tuner {

// Of candidates and configs in the search; the winner is also tried at "O3".
inline constexpr char kSearchPipeline[] = "light";
inline constexpr char kRefinePipeline[] = "O3";

// The candidate that a config stands for. Errors: FAILED_PRECONDITION (none of the task's spaces has this name and
// version), INVALID_ARGUMENT (a value outside its domain).
absl::StatusOr<Candidate> FindCandidate(const TuningTask& task, const v1::Config& config);

// Builds the candidate's schedule with its pass pipeline; sets its outcome and what came of it.
void BuildSchedule(const TaskIdentity& task, Builder& builder, BuiltCandidate* built);

// Blocks while it builds; equal arguments give equal code. What goes wrong is the outcome.
BuiltCandidate BuildCandidate(const TuningTask& task, const Candidate& candidate, const std::string& pass_pipeline,
                              Builder& builder);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_BUILD_CANDIDATE_H_
