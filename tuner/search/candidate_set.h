// The candidates that must not be proposed again, and ways to find one that may. Not thread-safe.
#ifndef TUNEFLEET_TUNER_SEARCH_CANDIDATE_SET_H_
#define TUNEFLEET_TUNER_SEARCH_CANDIDATE_SET_H_

#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/random/bit_gen_ref.h"
#include "tuner/pipeline/candidate.h"

namespace tunefleet::tuner {

class CandidateSet {
 public:
  // False when it was in already.
  bool Insert(const Candidate& candidate) { return keys_.emplace(candidate.space, candidate.values).second; }
  bool Contains(const Candidate& candidate) const { return keys_.contains({candidate.space, candidate.values}); }
  size_t size() const { return keys_.size(); }

 private:
  absl::flat_hash_set<std::pair<int, codegen::Values>> keys_;
};

// Moves on to the next config, the last knob fastest. False after the last one; `values` is then the first again.
bool NextValues(const codegen::ScheduleSpace& space, codegen::Values* values);

// A config of the space that is not in `seen`: the most promising of so many random draws, and when chance finds none,
// the next in order after a random one. Nullopt when all are seen.
std::optional<Candidate> RandomUnseen(const codegen::ScheduleSpace& space, int index, const CandidateSet& seen,
                                      int draws, absl::BitGenRef random);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_SEARCH_CANDIDATE_SET_H_
