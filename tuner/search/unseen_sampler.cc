#include "tuner/search/unseen_sampler.h"

namespace tunefleet::tuner {

UnseenSampler::UnseenSampler(const std::vector<const codegen::ScheduleSpace*>& spaces, int draws) : draws_(draws) {
  for (size_t i = 0; i < spaces.size(); ++i) open_.push_back({.space = spaces[i], .index = static_cast<int>(i)});
}

std::optional<Candidate> UnseenSampler::Draw(const CandidateSet& seen, absl::BitGenRef random) {
  while (!open_.empty()) {
    if (turn_ >= open_.size()) {
      turn_ = 0;
      drafts_ = !drafts_;
    }
    const Entry& entry = open_[turn_];
    if (auto candidate = RandomUnseen(*entry.space, entry.index, seen, drafts_ ? draws_ : 1, random)) {
      ++turn_;
      return candidate;
    }
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(turn_));
  }
  return std::nullopt;
}

}  // namespace tunefleet::tuner
