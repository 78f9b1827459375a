#include "tuner/search/annealing.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/random/distributions.h"
#include "common/status_macros.h"

namespace tunefleet::tuner {
namespace {

// The best distinct unseen candidates, worst on top of a heap.
class TopCandidates {
 public:
  TopCandidates(size_t keep, const CandidateSet& seen) : keep_(keep), seen_(seen) {}

  // True when the candidate is now among the best.
  bool Offer(const Candidate& candidate, double score) {
    if (keep_ == 0 || (heap_.size() == keep_ && score <= heap_.front().score)) return false;
    if (seen_.Contains(candidate) || !kept_.Insert(candidate)) return false;
    if (heap_.size() == keep_) {
      // The loser stays in `kept_`: its score would not win now either.
      std::pop_heap(heap_.begin(), heap_.end(), Better);
      heap_.pop_back();
    }
    heap_.push_back({.candidate = candidate, .score = score});
    std::push_heap(heap_.begin(), heap_.end(), Better);
    return true;
  }

  std::vector<ScoredCandidate> BestFirst() && {
    std::sort_heap(heap_.begin(), heap_.end(), Better);
    return std::move(heap_);
  }

 private:
  static bool Better(const ScoredCandidate& a, const ScoredCandidate& b) { return a.score > b.score; }

  const size_t keep_;
  const CandidateSet& seen_;
  CandidateSet kept_;
  std::vector<ScoredCandidate> heap_;
};

double StandardDeviation(const std::vector<float>& values) {
  double sum = 0;
  double squares = 0;
  for (const float value : values) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const double mean = sum / static_cast<double>(values.size());
  return std::sqrt(std::max(0.0, squares / static_cast<double>(values.size()) - mean * mean));
}

}  // namespace

Annealer::Annealer(std::vector<const codegen::ScheduleSpace*> spaces, const AnnealingOptions& options)
    : spaces_(std::move(spaces)), options_(options) {}

void Annealer::PlaceStarts(absl::Span<const Candidate> starts) {
  // Chain i is of space i mod the number of spaces, so the next one back of the same space lies that far before.
  const auto spaces = static_cast<std::ptrdiff_t>(spaces_.size());
  const auto chains = static_cast<std::ptrdiff_t>(chains_.size());
  std::vector<std::ptrdiff_t> next(spaces_.size());  // the chain for the space's next start
  for (std::ptrdiff_t space = 0; space < spaces; ++space) {
    next[space] = space + (chains - 1 - space) / spaces * spaces;
  }
  for (const Candidate& start : starts) {
    std::ptrdiff_t& chain = next[start.space];
    if (chain < 0) continue;  // all of the space's chains have started anew
    chains_[chain] = start;
    chain -= spaces;
  }
}

absl::StatusOr<std::vector<ScoredCandidate>> Annealer::Run(const ScoreFunction& score, int keep,
                                                           absl::Span<const Candidate> starts, const CandidateSet& seen,
                                                           absl::BitGenRef random) {
  if (spaces_.empty()) return std::vector<ScoredCandidate>();
  const int chains = std::max(options_.chains, static_cast<int>(spaces_.size()));
  for (int i = static_cast<int>(chains_.size()); i < chains; ++i) {
    const int space = i % static_cast<int>(spaces_.size());
    const int draws = i / static_cast<int>(spaces_.size()) % 2 == 0 ? options_.draws : 1;
    chains_.push_back({.space = space, .values = codegen::DraftedValues(*spaces_[space], draws, random)});
  }
  PlaceStarts(starts);
  TF_ASSIGN_OR_RETURN(std::vector<float> scores, score(chains_));
  TopCandidates top(keep, seen);
  for (int i = 0; i < chains; ++i) top.Offer(chains_[i], scores[i]);
  const double unit = std::max(StandardDeviation(scores), 1e-9);

  std::vector<Candidate> moves(chains_.size());
  int last_change = 0;
  for (int step = 0; step < options_.max_steps && step - last_change < options_.patience; ++step) {
    const double temperature = 1.0 - static_cast<double>(step) / options_.max_steps;
    for (int i = 0; i < chains; ++i) {
      moves[i].space = chains_[i].space;
      moves[i].values = codegen::Neighbour(*spaces_[chains_[i].space], chains_[i].values, random);
    }
    TF_ASSIGN_OR_RETURN(const std::vector<float> move_scores, score(moves));
    for (int i = 0; i < chains; ++i) {
      if (top.Offer(moves[i], move_scores[i])) last_change = step;
      const double difference = (static_cast<double>(move_scores[i]) - scores[i]) / unit;
      if (difference < 0 && absl::Uniform<double>(random, 0, 1) >= std::exp(difference / temperature)) continue;
      std::swap(chains_[i], moves[i]);
      scores[i] = move_scores[i];
    }
  }
  return std::move(top).BestFirst();
}

}  // namespace tunefleet::tuner
