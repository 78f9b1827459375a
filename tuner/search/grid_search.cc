#include <utility>

#include "tuner/search/candidate_set.h"
#include "tuner/search/strategies.h"

namespace tunefleet::tuner {
namespace {

class GridSearch : public SearchStrategy {
 public:
  explicit GridSearch(Spaces spaces) : spaces_(std::move(spaces)) { EnterSpace(0); }

  std::vector<Candidate> Propose(int n) override {
    std::vector<Candidate> proposals;
    while (static_cast<int>(proposals.size()) < n && next_.space < static_cast<int>(spaces_.size())) {
      if (seen_.Insert(next_)) proposals.push_back(next_);
      if (!NextValues(*spaces_[next_.space], &next_.values)) EnterSpace(next_.space + 1);
    }
    return proposals;
  }

  void Tell(absl::Span<const Measured> results) override {
    for (const Measured& result : results) seen_.Insert(result.candidate);
  }

  void Exclude(absl::Span<const Candidate> candidates) override {
    for (const Candidate& candidate : candidates) seen_.Insert(candidate);
  }

 private:
  void EnterSpace(int space) {
    next_.space = space;
    if (space < static_cast<int>(spaces_.size())) next_.values = codegen::FirstValues(*spaces_[space]);
  }

  const Spaces spaces_;
  CandidateSet seen_;
  Candidate next_;  // past the last space: exhausted
};

}  // namespace

std::unique_ptr<SearchStrategy> MakeGridSearch(Spaces spaces) {
  return std::make_unique<GridSearch>(std::move(spaces));
}

}  // namespace tunefleet::tuner
