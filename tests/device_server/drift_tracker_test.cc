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
  for (int i = 0; i < 50; ++i) tracker.Judge(10'400, 10'400);
  EXPECT_EQ(tracker.Judge(10'000, 10'000).sentinel.baseline_ns(), 10'001u) << "a slow drift does not take it along";
}

TEST(DriftTrackerTest, AsFastAsEverIsLeftAlone) {
  DriftTracker tracker = Settled();
  const DriftTracker::Judgement judgement = tracker.Judge(10'050, 10'020);
  EXPECT_FALSE(judgement.flagged);
  EXPECT_EQ(judgement.sentinel.correction(), 1);
  EXPECT_NEAR(judgement.sentinel.speed(), 0.9966, 0.0001);
}

TEST(DriftTrackerTest, ASmallSteadyDriftIsCorrected) {
  DriftTracker tracker = Settled();
  const DriftTracker::Judgement slow = tracker.Judge(10'500, 10'520);
  EXPECT_FALSE(slow.flagged);
  EXPECT_NEAR(slow.sentinel.correction(), 10'001.0 / 10'510, 1e-9);
  const DriftTracker::Judgement fast = tracker.Judge(9'500, 9'500);
  EXPECT_FALSE(fast.flagged);
  EXPECT_GT(fast.sentinel.correction(), 1.05);
}

TEST(DriftTrackerTest, ALargeOrUnsteadyDriftIsFlagged) {
  DriftTracker tracker = Settled();
  EXPECT_TRUE(tracker.Judge(13'000, 13'000).flagged);
  EXPECT_EQ(tracker.Judge(13'000, 13'000).sentinel.correction(), 1);
  EXPECT_TRUE(tracker.Judge(10'000, 10'600).flagged) << "the clock fell during the trial";
}

TEST(DriftTrackerTest, ATrialThatEndedEarlyIsJudgedByItsFirstReading) {
  DriftTracker tracker = Settled();
  const DriftTracker::Judgement judgement = tracker.Judge(10'000, 0);
  EXPECT_FALSE(judgement.flagged);
  EXPECT_EQ(judgement.sentinel.after_ns(), 0u);
}

TEST(DriftTrackerTest, TheFirstTrialOfASessionIsItsOwnBaseline) {
  DriftTracker tracker;
  EXPECT_EQ(tracker.Judge(12'345, 12'345).sentinel.speed(), 1);
}

}  // namespace
}  // namespace tunefleet::device
