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
  const auto found = RandomUnseen(*space, 0, seen, random);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->values, last.values);
  seen.Insert(last);
  EXPECT_FALSE(RandomUnseen(*space, 0, seen, random).has_value());
}

TEST(RandomUnseenTest, SpaceWithoutKnobsHoldsOneConfig) {
  const auto space = MakeGridSpace("point", {});
  std::mt19937_64 random(1);
  CandidateSet seen;
  ASSERT_TRUE(RandomUnseen(*space, 0, seen, random).has_value());
  seen.Insert({.space = 0, .values = {}});
  EXPECT_FALSE(RandomUnseen(*space, 0, seen, random).has_value());
}

}  // namespace
}  // namespace tunefleet::tuner
