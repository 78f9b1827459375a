#include <random>
#include <utility>

#include "tuner/search/strategies.h"
#include "tuner/search/unseen_sampler.h"

namespace tunefleet::tuner {
namespace {

class RandomSearch : public SearchStrategy {
 public:
  RandomSearch(const Spaces& spaces, uint64_t seed) : sampler_(spaces, 1), random_(seed) {}

  std::vector<Candidate> Propose(int n) override {
    std::vector<Candidate> proposals;
    while (static_cast<int>(proposals.size()) < n) {
      auto candidate = sampler_.Draw(seen_, random_);
      if (!candidate.has_value()) break;
      seen_.Insert(*candidate);
      proposals.push_back(*std::move(candidate));
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
  UnseenSampler sampler_;
  CandidateSet seen_;
  std::mt19937_64 random_;
};

}  // namespace

std::unique_ptr<SearchStrategy> MakeRandomSearch(const Spaces& spaces, uint64_t seed) {
  return std::make_unique<RandomSearch>(spaces, seed);
}

}  // namespace tunefleet::tuner
