// Parallel simulated annealing over the union of the spaces (section 3.3 of the AutoTVM paper): many Markov chains step
// together, so that the model scores a whole batch at once. A chain stays in its space; chains are dealt out to the
// spaces in turn, and their states persist from one call to the next, but for those that start anew where they are
// told.
#ifndef TUNEFLEET_TUNER_SEARCH_ANNEALING_H_
#define TUNEFLEET_TUNER_SEARCH_ANNEALING_H_

#include <functional>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tuner/search/candidate_set.h"

namespace tunefleet::tuner {

struct ScoredCandidate {
  Candidate candidate;
  double score = 0;  // higher is better
};

struct AnnealingOptions {
  int chains = 128;
  int draws =
      1;  // of which the most promising is the start of every other chain of a space (ScheduleSpace::DraftCycles)
  int max_steps = 500;  // temperature falls linearly from 1 to 0 over them
  int patience = 50;    // steps without a change among the kept ones end it
};

// Scores candidates, one number each.
using ScoreFunction = std::function<absl::StatusOr<std::vector<float>>(absl::Span<const Candidate>)>;

// Not thread-safe. The spaces must outlive it.
class Annealer {
 public:
  Annealer(std::vector<const codegen::ScheduleSpace*> spaces, const AnnealingOptions& options);

  // The best `keep` distinct candidates met on the way that are not in `seen`, best first. Each of `starts` is where
  // a chain of its space starts, the space's last chain first; those that the space has no more chains for are left
  // out, and the other chains go on from where they were. A worse step is accepted with probability exp(difference /
  // temperature), where a difference of 1 is the standard deviation of the chains' scores at the start. Errors: those
  // of `score`.
  absl::StatusOr<std::vector<ScoredCandidate>> Run(const ScoreFunction& score, int keep,
                                                   absl::Span<const Candidate> starts, const CandidateSet& seen,
                                                   absl::BitGenRef random);

  const std::vector<Candidate>& chains() const { return chains_; }

 private:
  void PlaceStarts(absl::Span<const Candidate> starts);

  const std::vector<const codegen::ScheduleSpace*> spaces_;
  const AnnealingOptions options_;
  std::vector<Candidate> chains_;  // empty before the first run
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_SEARCH_ANNEALING_H_
