// After the search: the contenders side by side, then the winner's two compilations.
#ifndef TUNEFLEET_TUNER_PIPELINE_FINALS_H_
#define TUNEFLEET_TUNER_PIPELINE_FINALS_H_

#include "tuner/pipeline/tune_context.h"

namespace tunefleet::tuner {

// How the trials of the finals are measured: to the end, with more samples.
v1::MeasureOptions FinalOptions(const TuneOptions& options);

// Measures again, in one interleaved trial, the fastest of the search when their latencies are within the noise, and
// the best of every other space that comes near; then the winner compiled as in the search beside the winner compiled
// at O3. Each verdict is a record; it rests on pairs of samples, and a kernel that was not found to be faster than the
// first does not replace it. Nothing is done where a verdict stands and no later trial challenges it. Failures go to
// the context's control.
void RunFinals(TuneContext& context);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_FINALS_H_
