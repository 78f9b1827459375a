#include "device_server/measure/time_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunefleet::device {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::Duration kMs = absl::Milliseconds(1);
constexpr absl::Duration kUs = absl::Microseconds(1);

// As long as it is wanted; the number of judged runs.
int GiveEvidence(TimeCheck& check, absl::Duration idle, absl::Duration judged) {
  int runs = 0;
  for (; check.WantsEvidence(); ++runs) {
    check.AddIdleExchange(idle);
    check.AddJudgedRun(judged);
  }
  return runs;
}

TEST(TimeCheckTest, HasNothingAgainstAKernelThatAnswersInTime) {
  TimeCheck check(1 << 20);
  EXPECT_THAT(check.Doubt(), IsEmpty());
  for (int i = 0; i < 10; ++i) check.AddSample(100, 2 * kMs, 2 * kMs + 100 * kUs, false);
  for (int i = 0; i < 2; ++i) check.AddJudgedRun(150 * kUs);
  EXPECT_FALSE(check.WantsEvidence());
  EXPECT_THAT(check.Doubt(), IsEmpty());
}

TEST(TimeCheckTest, ABusyMachineIsNoReasonToDoubt) {
  TimeCheck check(0);
  for (int i = 0; i < 10; ++i) check.AddSample(100, 2 * kMs, i == 7 ? 15 * kMs : 80 * kMs, false);
  for (int i = 0; i < 20; ++i) check.AddJudgedRun(i == 13 ? kMs : 30 * kMs);
  EXPECT_FALSE(check.WantsEvidence());
  EXPECT_THAT(check.Doubt(), IsEmpty());
}

TEST(TimeCheckTest, SamplesThatAllTookFarLongerThanReportedAreDoubted) {
  TimeCheck check(0);
  for (int i = 0; i < 4; ++i) check.AddSample(100, 100 * kUs, 30 * kMs, false);
  EXPECT_THAT(check.Doubt(), IsEmpty()) << "too few";
  EXPECT_FALSE(check.WantsEvidence());
  check.AddSample(100, 100 * kUs, 30 * kMs, false);
  EXPECT_EQ(GiveEvidence(check, 200 * kUs, kMs), 20);
  EXPECT_THAT(check.Doubt(), HasSubstr("far longer than was reported"));
}

TEST(TimeCheckTest, WhereIdleExchangesAreLateTooItIsTheMachine) {
  TimeCheck check(0);
  for (int i = 0; i < 5; ++i) check.AddSample(1000, 2 * kMs, 100 * kMs, false);
  EXPECT_EQ(GiveEvidence(check, 8 * kMs, 12 * kMs), 1);
  EXPECT_THAT(check.Doubt(), IsEmpty());
}

TEST(TimeCheckTest, TimeForFlushingIsNotHeldAgainstASample) {
  for (const bool flushed : {false, true}) {
    TimeCheck check(1 << 20);
    for (int i = 0; i < 5; ++i) check.AddSample(10, 100 * kUs, 30 * kMs, flushed);
    GiveEvidence(check, 100 * kUs, 100 * kUs);
    EXPECT_EQ(check.Doubt().empty(), flushed);
  }
}

TEST(TimeCheckTest, RunsThatAreSlowOnlyWhenJudgedAreDoubtedAfterManyTries) {
  TimeCheck check(0);
  for (int i = 0; i < 5; ++i) check.AddSample(1000, kMs, 2 * kMs, false);
  check.AddJudgedRun(5 * kMs);
  EXPECT_EQ(GiveEvidence(check, 100 * kUs, 5 * kMs), 19);
  EXPECT_THAT(check.Doubt(), HasSubstr("5ms or more when its outputs are judged"));
}

TEST(TimeCheckTest, LargeBuffersMayComeFromMemoryWhenARunIsJudged) {
  TimeCheck check(uint64_t{100} << 20);
  for (int i = 0; i < 5; ++i) check.AddSample(1, kMs, 2 * kMs, false);
  check.AddJudgedRun(100 * kMs);
  EXPECT_FALSE(check.WantsEvidence());
}

}  // namespace
}  // namespace tunefleet::device
