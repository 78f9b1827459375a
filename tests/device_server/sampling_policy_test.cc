#include "device_server/measure/sampling_policy.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

namespace tunefleet::device {
namespace {

// Feeds what `time_of_run(i)` says a run of the i-th sample takes, until the policy has enough.
v1::KernelResult Feed(const v1::MeasureOptions& options, const std::function<double(int)>& ns_of_run) {
  SamplingPolicy policy(WithDefaults(options));
  int index = 0;
  while (const std::optional<uint32_t> runs = policy.NextRuns()) {
    policy.Add(absl::Nanoseconds(ns_of_run(index++) * *runs), *runs);
    if (index > 1000) break;
  }
  v1::KernelResult result;
  policy.Report(&result);
  return result;
}

TEST(SamplingPolicyTest, RepeatsRunsUntilASampleIsLongEnough) {
  SamplingPolicy policy(WithDefaults({}));
  EXPECT_EQ(policy.NextRuns(), 1u);
  policy.Add(absl::Microseconds(100), 1);
  EXPECT_EQ(policy.NextRuns(), 20u) << "2 ms of 100 us runs";
}

TEST(SamplingPolicyTest, SteadyTimesNeedOnlyTheFewestSamples) {
  const v1::KernelResult result = Feed({}, [](int) { return 100'000.0; });
  EXPECT_EQ(result.samples_size(), 6) << "one screening sample and five repeats";
  EXPECT_EQ(result.latency_ns(), 100'000u);
  EXPECT_EQ(result.quality(), v1::QUALITY_GOOD);
  EXPECT_FALSE(result.censored());
}

TEST(SamplingPolicyTest, NoisyTimesAreRepeatedUpToTheMostAndFlagged) {
  std::minstd_rand random(7);
  v1::MeasureOptions options;
  options.mutable_run_budget()->set_seconds(10);
  const v1::KernelResult result = Feed(options, [&](int) { return 100'000.0 + random() % 60'000; });
  EXPECT_EQ(result.samples_size(), 21);
  EXPECT_EQ(result.quality(), v1::QUALITY_NOISY);
}

TEST(SamplingPolicyTest, TheBudgetEndsTheRepeats) {
  std::minstd_rand random(7);
  v1::MeasureOptions options;
  options.mutable_run_budget()->set_nanos(20'000'000);
  const v1::KernelResult result = Feed(options, [&](int) { return 100'000.0 + random() % 60'000; });
  EXPECT_LT(result.samples_size(), 14);
  EXPECT_GE(result.samples_size(), 8);
}

TEST(SamplingPolicyTest, AClearlySlowerKernelIsCensoredAfterTwoSingleRuns) {
  v1::MeasureOptions options;
  options.set_incumbent_ns(50'000);
  options.set_abort_ratio(1.5);
  const v1::KernelResult result = Feed(options, [](int) { return 100'000.0; });
  EXPECT_TRUE(result.censored());
  EXPECT_EQ(result.samples_size(), 2);
  EXPECT_EQ(result.latency_ns(), 100'000u);
  EXPECT_EQ(result.quality(), v1::QUALITY_NOISY);
}

TEST(SamplingPolicyTest, OneSlowScreeningRunDoesNotCensor) {
  v1::MeasureOptions options;
  options.set_incumbent_ns(50'000);
  options.set_abort_ratio(1.5);
  const v1::KernelResult result = Feed(options, [](int i) { return i == 0 ? 900'000.0 : 49'000.0; });
  EXPECT_FALSE(result.censored());
  EXPECT_EQ(result.latency_ns(), 49'000u);
}

TEST(SamplingPolicyTest, AnAbortRatioOfZeroNeverCensors) {
  v1::MeasureOptions options;
  options.set_incumbent_ns(1);
  EXPECT_FALSE(Feed(options, [](int) { return 100'000.0; }).censored());
}

TEST(SamplingPolicyTest, ContendersGetMoreRepeatsThanOthers) {
  // Alternating 98 and 102: 4% wide, too wide for a contender, tight enough for one that cannot win.
  const auto times = [](int i) { return i % 2 == 0 ? 98'000.0 : 102'000.0; };
  v1::MeasureOptions contender, other;
  contender.set_incumbent_ns(100'000);
  other.set_incumbent_ns(90'000);
  EXPECT_GT(Feed(contender, times).samples_size(), Feed(other, times).samples_size());
}

TEST(SamplingPolicyTest, AVerySlowKernelStillGetsThreeRepeatsAsContender) {
  const v1::KernelResult result = Feed({}, [](int) { return 50'000'000.0; });
  EXPECT_EQ(result.samples_size(), 4);
  EXPECT_EQ(result.quality(), v1::QUALITY_GOOD);
}

TEST(SamplingPolicyTest, ResultsStayUnderTheWireLimitOfSamples) {
  std::minstd_rand random(7);
  v1::MeasureOptions options;
  options.set_max_samples(100'000);
  options.mutable_run_budget()->set_seconds(1000);
  EXPECT_LE(Feed(options, [&](int) { return 1'000.0 + random() % 600; }).samples_size(), 256);
}

// The interval must hold the true median about 95 times in 100.
TEST(SamplingPolicyTest, TheIntervalHoldsTheMedianAsOftenAsItSays) {
  std::mt19937 random(11);
  std::lognormal_distribution<double> times(0.0, 0.3);  // median 1
  for (const int count : {6, 9, 15, 30}) {
    int holds = 0;
    const int trials = 4000;
    for (int i = 0; i < trials; ++i) {
      std::vector<double> values;
      for (int j = 0; j < count; ++j) values.push_back(times(random));
      const MedianInterval interval = IntervalOfMedian(values);
      EXPECT_LE(interval.low, interval.median);
      EXPECT_GE(interval.high, interval.median);
      holds += interval.low <= 1 && 1 <= interval.high;
    }
    EXPECT_GE(holds, trials * 945 / 1000) << count;
    EXPECT_LE(holds, trials * 995 / 1000) << count;
  }
}

TEST(SamplingPolicyTest, TheMedianOfAnEvenNumberIsTheMeanOfTheMiddleTwo) {
  EXPECT_DOUBLE_EQ(IntervalOfMedian({4, 1, 3, 2}).median, 2.5);
  EXPECT_DOUBLE_EQ(IntervalOfMedian({7}).median, 7);
}

}  // namespace
}  // namespace tunefleet::device
