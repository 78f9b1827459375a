#include "tuner/search/annealing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "tests/tuner/search/fake_space.h"

namespace tunefleet::tuner {
namespace {

using codegen::Values;

// Two ridges and a plain, rugged enough that a pure climb stalls.
float Landscape(const Candidate& candidate) {
  const Values& v = candidate.values;
  const double x = static_cast<double>(v[0]) - 13 - candidate.space;
  const double y = static_cast<double>(v[1]) - 4;
  return static_cast<float>(-0.02 * (x * x + y * y) + 0.5 * ((v[0] + v[1]) % 3 == 0) +
                            0.01 * static_cast<double>(v[2]));
}

absl::StatusOr<std::vector<float>> Score(absl::Span<const Candidate> candidates) {
  std::vector<float> scores;
  for (const Candidate& candidate : candidates) scores.push_back(Landscape(candidate));
  return scores;
}

class AnnealingTest : public testing::Test {
 protected:
  // Every config of both spaces, best first.
  std::vector<ScoredCandidate> Exhaustive() {
    std::vector<ScoredCandidate> all;
    for (int space = 0; space < 2; ++space) {
      Values values = FirstValues(*spaces_[space]);
      do {
        const Candidate candidate{.space = space, .values = values};
        all.push_back({.candidate = candidate, .score = Landscape(candidate)});
      } while (NextValues(*spaces_[space], &values));
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    return all;
  }

  const std::unique_ptr<FakeSpace> a_ = MakeGridSpace("a", {20, 10, 4});
  const std::unique_ptr<FakeSpace> b_ = MakeGridSpace("b", {20, 10, 4});
  const std::vector<const codegen::ScheduleSpace*> spaces_ = {a_.get(), b_.get()};
  std::mt19937_64 random_{5};
};

TEST_F(AnnealingTest, FindsTheBestOfASmallSpace) {
  Annealer annealer(spaces_, {.chains = 64, .max_steps = 500, .patience = 100});
  const auto found = annealer.Run(Score, 20, {}, {}, random_).value();
  const auto truth = Exhaustive();
  ASSERT_EQ(found.size(), 20);
  EXPECT_EQ(found[0].score, truth[0].score);
  double found_sum = 0;
  double truth_sum = 0;
  for (int i = 0; i < 20; ++i) {
    found_sum += found[i].score;
    truth_sum += truth[i].score;
  }
  EXPECT_NEAR(found_sum, truth_sum, 0.05);
}

TEST_F(AnnealingTest, KeepsDistinctUnseenCandidatesBestFirst) {
  CandidateSet seen;
  for (const ScoredCandidate& scored : Exhaustive()) {
    if (seen.size() < 100) seen.Insert(scored.candidate);
  }
  Annealer annealer(spaces_, {});
  const auto found = annealer.Run(Score, 50, {}, seen, random_).value();
  std::set<std::pair<int, Values>> distinct;
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_FALSE(seen.Contains(found[i].candidate));
    EXPECT_TRUE(distinct.emplace(found[i].candidate.space, found[i].candidate.values).second);
    if (i > 0) {
      EXPECT_LE(found[i].score, found[i - 1].score);
    }
  }
  EXPECT_EQ(found.size(), 50);
}

TEST_F(AnnealingTest, ChainsPersistAndStayInTheirSpace) {
  Annealer annealer(spaces_, {.chains = 10, .max_steps = 40});
  ASSERT_TRUE(annealer.Run(Score, 5, {}, {}, random_).ok());
  const std::vector<Candidate> before = annealer.chains();
  std::vector<Candidate> first_scored;
  const auto spy = [&](absl::Span<const Candidate> candidates) {
    if (first_scored.empty()) first_scored.assign(candidates.begin(), candidates.end());
    return Score(candidates);
  };
  ASSERT_TRUE(annealer.Run(spy, 5, {}, {}, random_).ok());
  ASSERT_EQ(before.size(), 10);
  ASSERT_EQ(first_scored.size(), 10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(first_scored[i].values, before[i].values);
    EXPECT_EQ(annealer.chains()[i].space, i % 2);
  }
}

TEST_F(AnnealingTest, TheLastChainsOfASpaceStartWhereTheyAreTold) {
  Annealer annealer(spaces_, {.chains = 10, .max_steps = 40});
  ASSERT_TRUE(annealer.Run(Score, 5, {}, {}, random_).ok());
  const std::vector<Candidate> before = annealer.chains();
  const std::vector<Candidate> starts = {{.space = 1, .values = codegen::FirstValues(*spaces_[1])},
                                         {.space = 1, .values = {3, 2, 1}},
                                         {.space = 0, .values = codegen::FirstValues(*spaces_[0])}};
  std::vector<Candidate> first_scored;
  const auto spy = [&](absl::Span<const Candidate> candidates) {
    if (first_scored.empty()) first_scored.assign(candidates.begin(), candidates.end());
    return Score(candidates);
  };
  ASSERT_TRUE(annealer.Run(spy, 5, starts, {}, random_).ok());
  ASSERT_EQ(first_scored.size(), 10);
  for (int i = 0; i < 10; ++i) {
    const Candidate& expected = i == 9 ? starts[0] : i == 7 ? starts[1] : i == 8 ? starts[2] : before[i];
    EXPECT_EQ(first_scored[i].space, expected.space) << i;
    EXPECT_EQ(first_scored[i].values, expected.values) << i;
  }
}

TEST_F(AnnealingTest, MoreStartsThanChainsAreLeftOut) {
  Annealer annealer(spaces_, {.chains = 2, .max_steps = 1});
  const std::vector<Candidate> starts(5, {.space = 0, .values = codegen::FirstValues(*spaces_[0])});
  ASSERT_TRUE(annealer.Run(Score, 5, starts, {}, random_).ok());
  EXPECT_EQ(annealer.chains().size(), 2);
}

TEST_F(AnnealingTest, ASpaceKeepsItsOnlyChainWhateverStarts) {
  Annealer annealer(spaces_, {.chains = 2, .max_steps = 1});
  const std::vector<Candidate> starts(2, {.space = 0, .values = codegen::FirstValues(*spaces_[0])});
  ASSERT_TRUE(annealer.Run(Score, 5, starts, {}, random_).ok());
  EXPECT_EQ(annealer.chains()[0].space, 0);
  EXPECT_EQ(annealer.chains()[1].space, 1);
}

TEST_F(AnnealingTest, EndsEarlyWhenTheBestNoLongerChange) {
  const auto tiny = MakeGridSpace("tiny", {2, 2, 1});
  Annealer annealer({tiny.get()}, {.chains = 8, .max_steps = 500, .patience = 10});
  int calls = 0;
  const auto count = [&](absl::Span<const Candidate> candidates) {
    ++calls;
    return Score(candidates);
  };
  EXPECT_EQ(annealer.Run(count, 100, {}, {}, random_)->size(), 4);
  EXPECT_LT(calls, 50);
}

TEST_F(AnnealingTest, ReturnsTheErrorOfTheScore) {
  Annealer annealer(spaces_, {});
  const auto broken = [](absl::Span<const Candidate>) -> absl::StatusOr<std::vector<float>> {
    return absl::InternalError("broken");
  };
  EXPECT_EQ(annealer.Run(broken, 5, {}, {}, random_).status().code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace tunefleet::tuner
