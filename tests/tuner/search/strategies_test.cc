#include "tuner/search/strategies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <string>

#include "tests/tuner/search/fake_space.h"
#include "tuner/model/xgboost_model.h"

namespace tunefleet::tuner {
namespace {

using codegen::Values;
using Key = std::pair<int, Values>;

Key KeyOf(const Candidate& candidate) { return {candidate.space, candidate.values}; }

std::unique_ptr<SearchStrategy> Make(const std::string& name, const Spaces& spaces, uint64_t seed) {
  if (name == "grid") return MakeGridSearch(spaces);
  if (name == "random") return MakeRandomSearch(spaces, seed);
  return MakeAutoTvmSearch(spaces, MakeXgboostModel({.seed = seed}),
                           {.batch = 16, .warm_up = 16, .chains = 64, .max_steps = 100, .seed = seed});
}

// A latency with interactions; one knob does not matter; an eighth of the configs crash. The best is 100.
Measured Measure(const Candidate& candidate) {
  const Values& v = candidate.values;
  double latency = 100;
  latency += 6.0 * std::abs(static_cast<double>(v[0]) - 11);
  latency += 4.0 * std::abs(static_cast<double>(v[1] - v[2]) - 3);
  latency += 9.0 * std::abs(static_cast<double>(v[3]) - 2) * (1.0 + 0.1 * static_cast<double>(v[2]));
  if (candidate.space == 1) latency *= 1.5;
  Measured measured{.candidate = candidate, .outcome = v1::OUTCOME_OK, .latency_ns = latency};
  if (v[4] == 7) measured = {.candidate = candidate, .outcome = v1::OUTCOME_CRASHED};
  return measured;
}

// Lowest latency after `trials` trials of which `in_flight` are always pending.
double BestAfter(SearchStrategy& strategy, int trials, int in_flight) {
  double best = INFINITY;
  std::vector<Candidate> pending;
  for (int told = 0; told < trials; ++told) {
    while (static_cast<int>(pending.size()) < in_flight) {
      for (Candidate& candidate : strategy.Propose(1)) pending.push_back(std::move(candidate));
    }
    const Measured measured = Measure(pending.front());
    pending.erase(pending.begin());
    if (measured.outcome == v1::OUTCOME_OK) best = std::min(best, measured.latency_ns);
    strategy.Tell({measured});
  }
  return best;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class StrategyTest : public testing::TestWithParam<std::string> {
 protected:
  const std::unique_ptr<FakeSpace> small_ = MakeGridSpace("small", {3, 3, 2, 2, 1});
  const std::unique_ptr<FakeSpace> tiles_ = MakeTileSpace("tiles", 5, 8);
  const std::unique_ptr<FakeSpace> large_ = MakeGridSpace("large", {16, 16, 16, 8, 8});
};

TEST_P(StrategyTest, ProposesEveryConfigOnceAndThenNothing) {
  auto strategy = Make(GetParam(), {small_.get(), tiles_.get()}, 1);
  std::set<Key> proposed;
  while (true) {
    const std::vector<Candidate> batch = strategy->Propose(7);
    for (const Candidate& candidate : batch) {
      EXPECT_TRUE(proposed.insert(KeyOf(candidate)).second);
      const FakeSpace& space = candidate.space == 0 ? *small_ : *tiles_;
      EXPECT_TRUE(codegen::Contains(space, candidate.values));
      strategy->Tell({Measure(candidate)});
    }
    if (batch.size() < 7) break;
  }
  EXPECT_EQ(proposed.size(), 36 + 56);
  EXPECT_TRUE(strategy->Propose(1).empty());
}

TEST_P(StrategyTest, NeverProposesWhatWasToldOrExcluded) {
  auto strategy = Make(GetParam(), {small_.get()}, 1);
  const std::vector<Candidate> known = {{.space = 0, .values = {0, 0, 0, 0, 0}},
                                        {.space = 0, .values = {2, 2, 1, 1, 0}}};
  const Candidate pending{.space = 0, .values = {1, 1, 1, 1, 0}};
  for (const Candidate& candidate : known) strategy->Tell({Measure(candidate)});
  strategy->Exclude({pending});
  std::set<Key> proposed;
  for (const Candidate& candidate : strategy->Propose(100)) proposed.insert(KeyOf(candidate));
  EXPECT_EQ(proposed.size(), 33);
  EXPECT_FALSE(proposed.contains(KeyOf(known[0])));
  EXPECT_FALSE(proposed.contains(KeyOf(known[1])));
  EXPECT_FALSE(proposed.contains(KeyOf(pending)));
}

TEST_P(StrategyTest, EqualSeedsProposeEqualCandidates) {
  auto a = Make(GetParam(), {large_.get(), tiles_.get()}, 9);
  auto b = Make(GetParam(), {large_.get(), tiles_.get()}, 9);
  for (int i = 0; i < 60; ++i) {
    const std::vector<Candidate> from_a = a->Propose(1);
    const std::vector<Candidate> from_b = b->Propose(1);
    ASSERT_EQ(KeyOf(from_a.at(0)), KeyOf(from_b.at(0))) << i;
    a->Tell({Measure(from_a[0])});
    b->Tell({Measure(from_b[0])});
  }
}

TEST_P(StrategyTest, EmptyUnionHasNothingToPropose) { EXPECT_TRUE(Make(GetParam(), {}, 1)->Propose(3).empty()); }

INSTANTIATE_TEST_SUITE_P(Strategies, StrategyTest, testing::Values("grid", "random", "autotvm"),
                         [](const auto& info) { return info.param; });

TEST(AutoTvmSearchTest, NeedsFarFewerTrialsThanRandom) {
  const auto a = MakeGridSpace("a", {32, 32, 32, 16, 8});
  const auto b = MakeGridSpace("b", {32, 32, 32, 16, 8});
  const Spaces spaces = {a.get(), b.get()};
  std::vector<double> learned;
  std::vector<double> random;
  for (uint64_t seed = 1; seed <= 9; ++seed) {
    learned.push_back(BestAfter(*Make("autotvm", spaces, seed), 100, 12));
    random.push_back(BestAfter(*Make("random", spaces, seed), 500, 12));
  }
  EXPECT_LT(Median(learned), Median(random));
  EXPECT_LT(Median(learned), 112);
}

TEST(AutoTvmSearchTest, KeepsSearchingWhenEverythingFails) {
  const auto space = MakeGridSpace("a", {16, 16, 16, 8, 8});
  auto strategy = Make("autotvm", {space.get()}, 1);
  for (int i = 0; i < 60; ++i) {
    const std::vector<Candidate> proposals = strategy->Propose(1);
    ASSERT_EQ(proposals.size(), 1);
    strategy->Tell({{.candidate = proposals[0], .outcome = v1::OUTCOME_WRONG_ANSWER}});
  }
}

// Remembers what it was taught; scores are the first knob's.
class SpyModel : public CostModel {
 public:
  explicit SpyModel(std::vector<std::vector<float>>* updates) : updates_(updates) {}
  absl::Status Update(const FeatureMatrix& features, absl::Span<const float> throughput) override {
    EXPECT_EQ(features.rows(), static_cast<int>(throughput.size()));
    updates_->emplace_back(throughput.begin(), throughput.end());
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<float>> Predict(const FeatureMatrix& features) const override {
    std::vector<float> scores;
    for (int row = 0; row < features.rows(); ++row) scores.push_back(features.values[row * features.columns + 1]);
    return scores;
  }

 private:
  std::vector<std::vector<float>>* updates_;
};

TEST(AutoTvmSearchTest, LearnsRelativeThroughputOfVerdictsOnly) {
  const auto space = MakeGridSpace("a", {8, 8});
  std::vector<std::vector<float>> updates;
  auto strategy = MakeAutoTvmSearch({space.get()}, std::make_unique<SpyModel>(&updates), {.batch = 4, .warm_up = 3});
  strategy->Tell({{.candidate = {.space = 0, .values = {0, 0}}, .outcome = v1::OUTCOME_OK, .latency_ns = 200},
                  {.candidate = {.space = 0, .values = {0, 1}}, .outcome = v1::OUTCOME_LOST_DEVICE},
                  {.candidate = {.space = 0, .values = {0, 4}}, .outcome = v1::OUTCOME_NO_REFERENCE}});
  ASSERT_EQ(strategy->Propose(1).size(), 1);
  EXPECT_TRUE(updates.empty());  // warming up
  strategy->Tell({{.candidate = {.space = 0, .values = {0, 2}}, .outcome = v1::OUTCOME_OK, .latency_ns = 100},
                  {.candidate = {.space = 0, .values = {0, 3}}, .outcome = v1::OUTCOME_BUILD_FAILED},
                  {.candidate = {.space = 0, .values = {0, 0}}, .outcome = v1::OUTCOME_OK, .latency_ns = 1}});
  ASSERT_EQ(strategy->Propose(1).size(), 1);
  EXPECT_EQ(updates, (std::vector<std::vector<float>>{{0.5f, 1.0f, 0.0f}}));
}

TEST(AutoTvmSearchTest, ProposesWhatTheModelRatesBestAndAShareAtRandom) {
  const auto space = MakeGridSpace("a", {8, 100, 100});
  std::vector<std::vector<float>> updates;
  auto strategy = MakeAutoTvmSearch({space.get()}, std::make_unique<SpyModel>(&updates),
                                    {.batch = 40, .warm_up = 1, .epsilon = 0.25});
  strategy->Tell({{.candidate = {.space = 0, .values = {0, 0, 0}}, .outcome = v1::OUTCOME_OK, .latency_ns = 200}});
  int top = 0;
  for (const Candidate& candidate : strategy->Propose(40)) top += candidate.values[0] == 7;
  EXPECT_GE(top, 30);
  EXPECT_LE(top, 39);
  EXPECT_EQ(updates.size(), 1);
}

}  // namespace
}  // namespace tunefleet::tuner
