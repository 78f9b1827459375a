#include "tuner/search/candidate_set.h"

#include <algorithm>

namespace tunefleet::tuner {

using codegen::DraftedValues;
using codegen::ScheduleSpace;
using codegen::Values;

namespace {

constexpr int kAttempts = 32;

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

std::optional<Candidate> RandomUnseen(const ScheduleSpace& space, int index, const CandidateSet& seen, int draws,
                                      absl::BitGenRef random) {
  Candidate candidate{.space = index};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    candidate.values = DraftedValues(space, draws, random);
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
