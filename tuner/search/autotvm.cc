#include "tuner/search/autotvm.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <random>
#include <utility>

#include "absl/random/distributions.h"
#include "absl/types/span.h"
#include "common/status_macros.h"
#include "tuner/search/annealing.h"
#include "tuner/search/diversity.h"
#include "tuner/search/feature_rows.h"
#include "tuner/search/outcome.h"
#include "tuner/search/strategies.h"
#include "tuner/search/unseen_sampler.h"

namespace tunefleet::tuner {
namespace {

// Algorithm 1, asynchronous: a batch is planned whenever the last plan is used up, with whatever has been told by then.
class AutoTvmSearch : public SearchStrategy {
 public:
  AutoTvmSearch(const Spaces& spaces, std::unique_ptr<CostModel> model, const AutoTvmOptions& options)
      : options_(options),
        rows_(spaces),
        model_(std::move(model)),
        sampler_(spaces, options.draws),
        annealer_(spaces, {.chains = options.chains,
                           .draws = options.draws,
                           .max_steps = options.max_steps,
                           .patience = options.patience}),
        random_(options.seed),
        features_(rows_.Empty()) {}

  std::vector<Candidate> Propose(int n) override {
    std::vector<Candidate> proposals;
    while (static_cast<int>(proposals.size()) < n) {
      if (plan_.empty()) Plan();
      std::optional<Candidate> candidate = NextOfPlan();
      if (!candidate.has_value()) break;
      seen_.Insert(*candidate);
      proposals.push_back(*std::move(candidate));
    }
    return proposals;
  }

  void Tell(absl::Span<const Measured> results) override {
    for (const Measured& result : results) {
      seen_.Insert(result.candidate);
      if (!IsVerdictOnCandidate(result.outcome) || !learned_.Insert(result.candidate)) continue;
      rows_.Append(result.candidate, &features_);
      candidates_.push_back(result.candidate);
      latencies_.push_back(result.outcome == v1::OUTCOME_OK && result.latency_ns > 0 ? result.latency_ns : INFINITY);
    }
  }

  void Exclude(absl::Span<const Candidate> candidates) override {
    for (const Candidate& candidate : candidates) seen_.Insert(candidate);
  }

 private:
  // An empty entry stands for a random draw.
  std::optional<Candidate> NextOfPlan() {
    while (!plan_.empty()) {
      std::optional<Candidate> candidate = std::move(plan_.front());
      plan_.pop_front();
      // Told or excluded since it was planned.
      if (candidate.has_value() && seen_.Contains(*candidate)) continue;
      return candidate.has_value() ? candidate : sampler_.Draw(seen_, random_);
    }
    return sampler_.Draw(seen_, random_);
  }

  void Plan() {
    if (static_cast<int>(latencies_.size()) < options_.warm_up) return;  // random until then
    const auto pool = SearchModel();
    if (!pool.ok()) {
      spdlog::warn("the cost model failed, proposing at random: {}", pool.status().ToString());
      return;
    }
    const int random_draws = static_cast<int>(std::lround(options_.epsilon * options_.batch));
    const std::vector<Candidate> picked = SelectDiverse(*pool, options_.batch - random_draws, options_.alpha);
    plan_.assign(picked.begin(), picked.end());
    for (int i = 0; i < random_draws; ++i) {
      const auto place = absl::Uniform<std::ptrdiff_t>(absl::IntervalClosed, random_, 0, plan_.size());
      plan_.insert(plan_.begin() + place, std::nullopt);
    }
  }

  absl::StatusOr<std::vector<ScoredCandidate>> SearchModel() {
    const double best = *std::min_element(latencies_.begin(), latencies_.end());
    std::vector<float> throughput;
    for (const double latency : latencies_) {
      throughput.push_back(std::isinf(latency) ? 0.0f : static_cast<float>(best / latency));
    }
    TF_RETURN_IF_ERROR(model_->Update(features_, throughput));
    const ScoreFunction score = [&](absl::Span<const Candidate> candidates) {
      FeatureMatrix matrix = rows_.Empty();
      matrix.values.reserve(candidates.size() * matrix.columns);
      for (const Candidate& candidate : candidates) rows_.Append(candidate, &matrix);
      return model_->Predict(matrix);
    };
    const int keep = static_cast<int>(std::ceil(std::max(1.0, options_.lambda) * options_.batch));
    return annealer_.Run(score, keep, BestMeasured(), seen_, random_);
  }

  // Where a share of the chains start anew: around what has been measured to be fast.
  std::vector<Candidate> BestMeasured() const {
    std::vector<size_t> rows(latencies_.size());
    std::iota(rows.begin(), rows.end(), 0);
    const size_t keep = std::min(rows.size(), static_cast<size_t>(std::lround(options_.restart * options_.chains)));
    const auto end = rows.begin() + static_cast<std::ptrdiff_t>(keep);
    std::partial_sort(rows.begin(), end, rows.end(),
                      [this](size_t a, size_t b) { return latencies_[a] < latencies_[b]; });
    std::vector<Candidate> best;
    for (auto row = rows.begin(); row != end && !std::isinf(latencies_[*row]); ++row) best.push_back(candidates_[*row]);
    return best;
  }

  const AutoTvmOptions options_;
  const FeatureRows rows_;
  const std::unique_ptr<CostModel> model_;
  UnseenSampler sampler_;
  Annealer annealer_;
  std::mt19937_64 random_;
  CandidateSet seen_;     // proposed, told or excluded
  CandidateSet learned_;  // rows of features_
  FeatureMatrix features_;
  std::vector<Candidate> candidates_;  // per row
  std::vector<double> latencies_;      // ns per row; infinite: failed
  std::deque<std::optional<Candidate>> plan_;
};

}  // namespace

std::unique_ptr<SearchStrategy> MakeAutoTvmSearch(const Spaces& spaces, std::unique_ptr<CostModel> model,
                                                  const AutoTvmOptions& options) {
  return std::make_unique<AutoTvmSearch>(spaces, std::move(model), options);
}

}  // namespace tunefleet::tuner
