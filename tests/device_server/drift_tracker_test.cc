#include "device_server/measure/drift_tracker.h"

#include <gtest/gtest.h>

namespace tunefleet::device {
namespace {

DriftTracker Settled() {
  DriftTracker tracker;
  for (const uint64_t reading : {10'000, 10'010, 14'000, 9'990, 10'005, 10'000, 10'001, 9'999, 10'002}) {
    tracker.Learn(reading);
  }
  return tracker;
}

TEST(DriftTrackerTest, TheBaselineIsTheMedianOfTheFirstReadings) {
  DriftTracker tracker = Settled();
  for (int i = 0; i < 50; ++i) tracker.Learn(10'400);
  EXPECT_EQ(tracker.baseline_ns(), 10'001u) << "a slow drift does not take it along";
  EXPECT_EQ(DriftTracker().baseline_ns(), 0u);
}

TEST(DriftTrackerTest, TheSpeedIsThatOfTheMedianReading) {
  const DriftTracker::Judgement judgement = Settled().Judge({10'500, 10'520, 40'000, 0, 10'510});
  EXPECT_NEAR(judgement.speed, 10'001.0 / 10'520, 1e-9);
  EXPECT_FALSE(judgement.flagged) << "small: corrected elsewhere";
}

TEST(DriftTrackerTest, ALargeDriftIsFlaggedInEitherDirection) {
  EXPECT_TRUE(Settled().Judge({13'000, 13'000}).flagged);
  EXPECT_TRUE(Settled().Judge({8'000, 8'000}).flagged);
  EXPECT_FALSE(Settled().Judge({10'050, 9'980}).flagged);
}

TEST(DriftTrackerTest, WithoutReadingsNothingIsSaid) {
  EXPECT_FALSE(Settled().Judge({0, 0}).flagged);
  EXPECT_EQ(Settled().Judge({}).speed, 1);
  EXPECT_EQ(DriftTracker().Judge({12'345}).speed, 1);
}

}  // namespace
}  // namespace tunefleet::device
