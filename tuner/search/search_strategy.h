// SearchStrategy: the seam that chooses what to measure next. Implementations: autotvm, random, grid.
#ifndef TUNEFLEET_TUNER_SEARCH_SEARCH_STRATEGY_H_
#define TUNEFLEET_TUNER_SEARCH_SEARCH_STRATEGY_H_

#include <vector>

#include "absl/types/span.h"
#include "tuner/pipeline/candidate.h"

namespace tunefleet::tuner {

struct Measured {
  Candidate candidate;
  v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
  double latency_ns = 0;  // when outcome is OK
  bool censored = false;  // latency is a rough, slow estimate: learn from it, never call it best
};

// Not thread-safe: one thread proposes and tells.
class SearchStrategy {
 public:
  virtual ~SearchStrategy() = default;
  // Up to n candidates, none of them proposed or told before; fewer (or none) only when the spaces are exhausted.
  virtual std::vector<Candidate> Propose(int n) = 0;
  // Results of candidates, proposed here or known from earlier runs.
  virtual void Tell(absl::Span<const Measured> results) = 0;
  // Candidates that must not be proposed again though they have no result yet (pending from an earlier run).
  virtual void Exclude(absl::Span<const Candidate> candidates) = 0;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_SEARCH_SEARCH_STRATEGY_H_
