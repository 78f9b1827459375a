#include "tuner/search/candidate_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "tests/tuner/search/fake_space.h"

namespace tunefleet::tuner {
namespace {

using codegen::Values;

TEST(CandidateSetTest, TellsSpacesApart) {
  CandidateSet set;
  EXPECT_TRUE(set.Insert({.space = 0, .values = {1, 2}}));
  EXPECT_FALSE(set.Insert({.space = 0, .values = {1, 2}}));
  EXPECT_FALSE(set.Contains({.space = 1, .values = {1, 2}}));
}

TEST(NextValuesTest, WalksEveryConfigOnceInKnobOrder) {
  const auto space = MakeTileSpace("tiles", 3, 16);
  std::set<Values> all;
  Values values = FirstValues(*space);
  Values last;
  do {
    EXPECT_TRUE(codegen::Contains(*space, values));
    EXPECT_TRUE(all.insert(values).second);
    EXPECT_LT(last, values);
    last = values;
  } while (NextValues(*space, &values));
  EXPECT_EQ(values, FirstValues(*space));
  EXPECT_EQ(all.size(), 35);  // (a, b, c) with a + b + c <= 4
}

TEST(RandomUnseenTest, FindsTheLastOneAndThenNothing) {
  const auto space = MakeGridSpace("grid", {10, 10, 10});
  std::mt19937_64 random(1);
  CandidateSet seen;
  Values values = FirstValues(*space);
  const Candidate last{.space = 0, .values = {7, 3, 5}};
  do {
    if (values != last.values) seen.Insert({.space = 0, .values = values});
  } while (NextValues(*space, &values));
  const auto found = RandomUnseen(*space, 0, seen, 1, random);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->values, last.values);
  seen.Insert(last);
  EXPECT_FALSE(RandomUnseen(*space, 0, seen, 1, random).has_value());
}

TEST(RandomUnseenTest, TakesTheMostPromisingOfItsDraws) {
  const auto space = MakeGridSpace("grid", {1000});
  std::mt19937_64 random(1);
  const auto mean = [&](int draws) {
    double sum = 0;
    for (int i = 0; i < 300; ++i) sum += static_cast<double>(RandomUnseen(*space, 0, {}, draws, random)->values[0]);
    return sum / 300;
  };
  EXPECT_NEAR(mean(9), 500, 80);  // the space ventures no guess
  space->set_draft([](const Values& values) { return static_cast<double>(values[0]); });
  EXPECT_NEAR(mean(1), 500, 80);
  EXPECT_NEAR(mean(9), 100, 30);  // the least of nine of a thousand
}

TEST(RandomUnseenTest, SpaceWithoutKnobsHoldsOneConfig) {
  const auto space = MakeGridSpace("point", {});
  std::mt19937_64 random(1);
  CandidateSet seen;
  ASSERT_TRUE(RandomUnseen(*space, 0, seen, 1, random).has_value());
  seen.Insert({.space = 0, .values = {}});
  EXPECT_FALSE(RandomUnseen(*space, 0, seen, 1, random).has_value());
}

}  // namespace
}  // namespace tunefleet::tuner
