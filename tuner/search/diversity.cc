#include "tuner/search/diversity.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>

#include "absl/container/flat_hash_set.h"

namespace tunefleet::tuner {
namespace {

using Component = std::tuple<int, size_t, int64_t>;  // space, knob, value

double StandardDeviation(const std::vector<ScoredCandidate>& pool) {
  double mean = 0;
  for (const ScoredCandidate& scored : pool) mean += scored.score / static_cast<double>(pool.size());
  double variance = 0;
  for (const ScoredCandidate& scored : pool) {
    variance += (scored.score - mean) * (scored.score - mean) / static_cast<double>(pool.size());
  }
  return std::sqrt(variance);
}

}  // namespace

std::vector<Candidate> SelectDiverse(const std::vector<ScoredCandidate>& pool, int count, double alpha) {
  const double unit = std::max(StandardDeviation(pool), 1e-12);
  absl::flat_hash_set<Component> covered;
  std::vector<bool> taken(pool.size(), false);
  std::vector<Candidate> picked;
  const auto gain = [&](const ScoredCandidate& scored) {
    const Candidate& candidate = scored.candidate;
    int fresh = 0;
    for (size_t knob = 0; knob < candidate.values.size(); ++knob) {
      fresh += !covered.contains(Component(candidate.space, knob, candidate.values[knob]));
    }
    return scored.score / unit + alpha * fresh;
  };
  while (static_cast<int>(picked.size()) < count && picked.size() < pool.size()) {
    size_t best = pool.size();
    double best_gain = 0;
    for (size_t i = 0; i < pool.size(); ++i) {
      if (taken[i]) continue;
      const double candidate_gain = gain(pool[i]);
      if (best == pool.size() || candidate_gain > best_gain) {
        best = i;
        best_gain = candidate_gain;
      }
    }
    taken[best] = true;
    const Candidate& candidate = pool[best].candidate;
    for (size_t knob = 0; knob < candidate.values.size(); ++knob) {
      covered.emplace(candidate.space, knob, candidate.values[knob]);
    }
    picked.push_back(candidate);
  }
  return picked;
}

}  // namespace tunefleet::tuner
