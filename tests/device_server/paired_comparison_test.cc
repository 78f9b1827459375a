#include "device_server/measure/paired_comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

namespace tunefleet::device {
namespace {

constexpr double kMargin = 0.005;

// Feeds pairs of kernels whose latencies have the given ratio and whose machine is `noise`, until a look gives a
// verdict or there are `most` pairs.
v1::Comparison Compare(double ratio, double noise, int most, std::mt19937* random) {
  PairedComparison comparison(kMargin);
  std::normal_distribution<double> normal(0.0, 1.0);
  for (int i = 0; i < most; ++i) {
    const double weather = 1000 * std::exp(0.2 * normal(*random));  // shared by the pair
    comparison.Add(weather * std::exp(noise * normal(*random)), weather * ratio * std::exp(noise * normal(*random)));
    if (comparison.IsCheckpoint() && comparison.Judge().verdict() != v1::VERDICT_AMBIGUOUS) break;
  }
  return comparison.Judge();
}

TEST(PairedComparisonTest, ASlowerKernelIsCalledSlowerWhateverTheWeather) {
  std::mt19937 random(3);
  const v1::Comparison slower = Compare(1.05, 0.003, 100, &random);
  EXPECT_EQ(slower.verdict(), v1::VERDICT_SLOWER);
  EXPECT_NEAR(slower.ratio(), 1.05, 0.01);
  EXPECT_LE(slower.ratio_low(), slower.ratio());
  EXPECT_GE(slower.ratio_high(), slower.ratio());
  EXPECT_EQ(slower.pairs(), 10u) << "so clear a case needs the fewest pairs";
  EXPECT_EQ(Compare(0.95, 0.003, 100, &random).verdict(), v1::VERDICT_FASTER);
}

TEST(PairedComparisonTest, EqualKernelsAreTheSameOnceTheIntervalFitsTheMargin) {
  std::mt19937 random(3);
  EXPECT_EQ(Compare(1.0, 0.002, 100, &random).verdict(), v1::VERDICT_SAME);
  EXPECT_EQ(Compare(1.001, 0.001, 100, &random).verdict(), v1::VERDICT_SAME) << "a difference too small to matter";
}

TEST(PairedComparisonTest, TooMuchNoiseOrTooFewPairsAreAmbiguous) {
  std::mt19937 random(3);
  EXPECT_EQ(Compare(1.002, 0.05, 20, &random).verdict(), v1::VERDICT_AMBIGUOUS);
  EXPECT_EQ(Compare(1.5, 0.001, 9, &random).verdict(), v1::VERDICT_AMBIGUOUS);
  EXPECT_EQ(PairedComparison(kMargin).Judge().verdict(), v1::VERDICT_AMBIGUOUS);
}

TEST(PairedComparisonTest, LooksAreFewBecauseEachOneMayErr) {
  PairedComparison comparison(kMargin);
  int looks = 0;
  for (int i = 0; i < 250; ++i) {
    comparison.Add(100, 101);
    looks += comparison.IsCheckpoint();
  }
  EXPECT_EQ(looks, 9);
}

TEST(PairedComparisonTest, WrongVerdictsAreRare) {
  std::mt19937 random(17);
  int wrong = 0, ambiguous = 0, false_difference = 0;
  const int trials = 300;
  for (int i = 0; i < trials; ++i) {
    const v1::Verdict verdict = Compare(1.02, 0.02, 110, &random).verdict();
    wrong += verdict == v1::VERDICT_FASTER || verdict == v1::VERDICT_SAME;
    ambiguous += verdict == v1::VERDICT_AMBIGUOUS;
    const v1::Verdict equal = Compare(1.0, 0.02, 110, &random).verdict();
    false_difference += equal == v1::VERDICT_FASTER || equal == v1::VERDICT_SLOWER;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(ambiguous, trials / 50);
  EXPECT_LE(false_difference, trials / 50);
}

}  // namespace
}  // namespace tunefleet::device
