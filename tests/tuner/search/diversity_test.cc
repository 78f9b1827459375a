#include "tuner/search/diversity.h"

#include <gtest/gtest.h>

namespace tunefleet::tuner {
namespace {

const std::vector<ScoredCandidate> kPool = {{.candidate = {.space = 0, .values = {1, 1}}, .score = 1.00},
                                            {.candidate = {.space = 0, .values = {1, 2}}, .score = 0.99},
                                            {.candidate = {.space = 0, .values = {1, 3}}, .score = 0.98},
                                            {.candidate = {.space = 0, .values = {5, 7}}, .score = 0.90},
                                            {.candidate = {.space = 1, .values = {1, 1}}, .score = 0.10}};

std::vector<codegen::Values> ValuesOf(const std::vector<Candidate>& candidates) {
  std::vector<codegen::Values> values;
  for (const Candidate& candidate : candidates) values.push_back(candidate.values);
  return values;
}

TEST(DiversityTest, WithoutWeightPicksTheTop) {
  EXPECT_EQ(ValuesOf(SelectDiverse(kPool, 3, 0)), (std::vector<codegen::Values>{{1, 1}, {1, 2}, {1, 3}}));
}

TEST(DiversityTest, PrefersComponentsNotYetCovered) {
  EXPECT_EQ(ValuesOf(SelectDiverse(kPool, 2, 1)), (std::vector<codegen::Values>{{1, 1}, {5, 7}}));
}

TEST(DiversityTest, EqualValuesOfAnotherSpaceAreOtherComponents) {
  const std::vector<Candidate> picked = SelectDiverse(kPool, 3, 100);
  EXPECT_EQ(picked[2].space, 1);
}

TEST(DiversityTest, PicksAllOfASmallPool) {
  EXPECT_EQ(SelectDiverse(kPool, 99, 1).size(), kPool.size());
  EXPECT_TRUE(SelectDiverse({}, 3, 1).empty());
}

}  // namespace
}  // namespace tunefleet::tuner
