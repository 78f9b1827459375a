#include "device_server/measure/statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace tunefleet::device {
namespace {

TEST(StatisticsTest, TheMedianOfAnEvenNumberIsTheMeanOfTheMiddleTwo) {
  EXPECT_DOUBLE_EQ(IntervalOfMedian({4, 1, 3, 2}).centre, 2.5);
  EXPECT_DOUBLE_EQ(IntervalOfMedian({7}).centre, 7);
}

// The interval must hold the true median about 95 times in 100.
TEST(StatisticsTest, TheIntervalHoldsTheMedianAsOftenAsItSays) {
  std::mt19937 random(11);
  std::lognormal_distribution<double> times(0.0, 0.3);  // median 1
  for (const int count : {6, 9, 15, 30}) {
    int holds = 0;
    const int trials = 4000;
    for (int i = 0; i < trials; ++i) {
      std::vector<double> values;
      for (int j = 0; j < count; ++j) values.push_back(times(random));
      const Interval interval = IntervalOfMedian(values);
      EXPECT_LE(interval.low, interval.centre);
      EXPECT_GE(interval.high, interval.centre);
      holds += interval.low <= 1 && 1 <= interval.high;
    }
    EXPECT_GE(holds, trials * 945 / 1000) << count;
    EXPECT_LE(holds, trials * 995 / 1000) << count;
  }
}

TEST(StatisticsTest, TheCentreOfDifferencesIsTheMedianOfTheMeansOfTwo) {
  // Means of two of {1, 2, 6}: 1, 1.5, 2, 3.5, 4, 6.
  EXPECT_DOUBLE_EQ(IntervalOfDifferences({6, 1, 2}, 0.95).centre, 2.75);
  EXPECT_DOUBLE_EQ(IntervalOfDifferences({6, 1, 2}, 0.95).low, 1) << "three pairs say little: the range";
  EXPECT_DOUBLE_EQ(IntervalOfDifferences({6, 1, 2}, 0.95).high, 6);
}

TEST(StatisticsTest, SoManyPairsAreNeededAsTheTableOfSignedRanksSays) {
  EXPECT_EQ(FewestPairs(0.95), 6);
  EXPECT_EQ(FewestPairs(0.99), 8);
  EXPECT_EQ(FewestPairs(0.998), 10);
}

TEST(StatisticsTest, TheIntervalOfDifferencesHoldsTheCentreAsOftenAsItSays) {
  std::mt19937 random(5);
  std::normal_distribution<double> noise(0.25, 1.0);
  for (const int count : {10, 24, 60}) {  // exact, exact, normal approximation
    int holds = 0;
    const int trials = 2000;
    for (int i = 0; i < trials; ++i) {
      std::vector<double> differences;
      for (int j = 0; j < count; ++j) differences.push_back(noise(random));
      const Interval interval = IntervalOfDifferences(differences, 0.95);
      holds += interval.low <= 0.25 && 0.25 <= interval.high;
    }
    EXPECT_GE(holds, trials * 93 / 100) << count;
    EXPECT_LE(holds, trials * 98 / 100) << count;
  }
}

TEST(StatisticsTest, AFewWildPairsDoNotMoveTheCentre) {
  std::vector<double> differences(20, 0.01);
  for (size_t i = 0; i < differences.size(); ++i) differences[i] += 0.0001 * static_cast<double>(i % 3);
  const double before = IntervalOfDifferences(differences, 0.95).centre;
  differences[3] = 40;
  differences[11] = -25;
  EXPECT_NEAR(IntervalOfDifferences(differences, 0.95).centre, before, 0.001);
}

}  // namespace
}  // namespace tunefleet::device
