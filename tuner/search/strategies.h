// The search strategies at hand. Spaces must outlive the strategy; their order is that of Candidate.space. All are
// deterministic: the same seed and the same calls give the same proposals.
#ifndef TUNEFLEET_TUNER_SEARCH_STRATEGIES_H_
#define TUNEFLEET_TUNER_SEARCH_STRATEGIES_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "tuner/model/cost_model.h"
#include "tuner/search/autotvm.h"
#include "tuner/search/search_strategy.h"

namespace tunefleet::tuner {

using Spaces = std::vector<const codegen::ScheduleSpace*>;

// Every config of the first space in the order of its knobs, then those of the next.
std::unique_ptr<SearchStrategy> MakeGridSearch(Spaces spaces);
// Uniform over the knobs of a space; spaces in turn.
std::unique_ptr<SearchStrategy> MakeRandomSearch(const Spaces& spaces, uint64_t seed);
// Algorithm 1 of the AutoTVM paper (autotvm.h).
std::unique_ptr<SearchStrategy> MakeAutoTvmSearch(const Spaces& spaces, std::unique_ptr<CostModel> model,
                                                  const AutoTvmOptions& options);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_SEARCH_STRATEGIES_H_
