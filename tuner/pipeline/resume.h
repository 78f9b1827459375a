// Picking up where earlier runs of the task ended.
#ifndef TUNEFLEET_TUNER_PIPELINE_RESUME_H_
#define TUNEFLEET_TUNER_PIPELINE_RESUME_H_

#include "absl/status/statusor.h"
#include "tuner/pipeline/tune_context.h"

namespace tunefleet::tuner {

// Tells the strategy what is recorded, and what is pending, so that neither is proposed again. Every pending trial is
// built again and submitted again under its id: the runner drops those that it owns already, and takes over those whose
// submission was cut off. No result is acknowledged meanwhile, so that none is forgotten and run anew. Returns the
// number of search trials recorded or pending. Errors: those of the database and the runner.
absl::StatusOr<int> Resume(TuneContext& context, SearchStrategy& strategy);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_RESUME_H_
