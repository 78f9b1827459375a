#include "tuner/search/candidate_set.h"

#include <algorithm>

namespace tunefleet::tuner {

using codegen::RandomValues;
using codegen::ScheduleSpace;
using codegen::Values;

namespace {

constexpr int kDraws = 32;

// Gives the knobs from values->size() on the low end of their domains.
void Complete(const ScheduleSpace& space, Values* values) {
  while (values->size() < space.knobs().size()) values->push_back(space.Domain(*values).front());
}

}  // namespace

bool NextValues(const ScheduleSpace& space, Values* values) {
  while (!values->empty()) {
    const int64_t last = values->back();
    values->pop_back();
    const std::vector<int64_t> domain = space.Domain(*values);
    const auto next = std::upper_bound(domain.begin(), domain.end(), last);
    if (next == domain.end()) continue;
    values->push_back(*next);
    Complete(space, values);
    return true;
  }
  Complete(space, values);
  return false;
}

std::optional<Candidate> RandomUnseen(const ScheduleSpace& space, int index, const CandidateSet& seen,
                                      absl::BitGenRef random) {
  Candidate candidate{.space = index};
  for (int draw = 0; draw < kDraws; ++draw) {
    candidate.values = RandomValues(space, random);
    if (!seen.Contains(candidate)) return candidate;
  }
  // At most `seen.size()` of the configs that follow are seen, unless the walk has come round.
  const Values start = candidate.values;
  do {
    NextValues(space, &candidate.values);
    if (!seen.Contains(candidate)) return candidate;
  } while (candidate.values != start);
  return std::nullopt;
}

}  // namespace tunefleet::tuner
