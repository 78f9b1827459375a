// The search: propose, build, submit and learn at the same time.
#ifndef TUNEFLEET_TUNER_PIPELINE_SEARCH_STAGE_H_
#define TUNEFLEET_TUNER_PIPELINE_SEARCH_STAGE_H_

#include "tuner/pipeline/tune_context.h"

namespace tunefleet::tuner {

// Runs `proposals` new trials and waits for those that are in flight already. True when the spaces were exhausted
// before. Failures go to the context's control.
bool RunSearch(TuneContext& context, SearchStrategy& strategy, int proposals);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_SEARCH_STAGE_H_
