// Draws unseen candidates from the union of the spaces, one space after the other. Not thread-safe.
#ifndef TUNEFLEET_TUNER_SEARCH_UNSEEN_SAMPLER_H_
#define TUNEFLEET_TUNER_SEARCH_UNSEEN_SAMPLER_H_

#include <optional>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "tuner/search/candidate_set.h"

namespace tunefleet::tuner {

class UnseenSampler {
 public:
  // Every other candidate is the most promising of so many draws (ScheduleSpace::DraftCycles); 1: uniform draws only.
  UnseenSampler(const std::vector<const codegen::ScheduleSpace*>& spaces, int draws);
  // Nullopt once every config of every space is in `seen`, which must only grow from call to call.
  std::optional<Candidate> Draw(const CandidateSet& seen, absl::BitGenRef random);

 private:
  struct Entry {
    const codegen::ScheduleSpace* space;
    int index;
  };
  std::vector<Entry> open_;  // spaces that are not exhausted
  const int draws_;
  bool drafts_ = true;
  size_t turn_ = 0;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_SEARCH_UNSEEN_SAMPLER_H_
