// Diversity-aware selection (Eq. 3 of the AutoTVM paper).
#ifndef TUNEFLEET_TUNER_SEARCH_DIVERSITY_H_
#define TUNEFLEET_TUNER_SEARCH_DIVERSITY_H_

#include <vector>

#include "tuner/search/annealing.h"

namespace tunefleet::tuner {

// Greedily picks `count` of the pool so that the sum of scores plus alpha times the number of distinct components
// covered (a component: the value of one knob of one space) grows the most; in the order of picking. Scores count in
// standard deviations of the pool. Ties go to the earlier one; O(count * pool * knobs).
std::vector<Candidate> SelectDiverse(const std::vector<ScoredCandidate>& pool, int count, double alpha);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_SEARCH_DIVERSITY_H_
