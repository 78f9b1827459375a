#include "device_server/measure/sampling_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

namespace tunefleet::device {
namespace {

v1::Sample MakeSample(double total_ns, uint32_t runs, uint32_t preemptions = 0) {
  v1::Sample sample;
  sample.set_total_ns(static_cast<uint64_t>(total_ns));
  sample.set_runs(runs);
  sample.set_preemptions(preemptions);
  return sample;
}

// Feeds what `time_of_run(i)` says a run of the i-th sample takes, until the policy has enough.
v1::KernelResult Feed(const v1::MeasureOptions& options, const std::function<double(int)>& ns_of_run) {
  SamplingPolicy policy(WithDefaults(options));
  int index = 0;
  while (const std::optional<uint32_t> runs = policy.NextRuns()) {
    policy.Add(MakeSample(ns_of_run(index++) * *runs, *runs));
    if (index > 1000) break;
  }
  v1::KernelResult result;
  policy.Report(&result);
  return result;
}

TEST(SamplingPolicyTest, RepeatsRunsUntilASampleIsLongEnough) {
  SamplingPolicy policy(WithDefaults({}));
  EXPECT_EQ(policy.NextRuns(), 1u);
  policy.Add(MakeSample(100'000, 1));
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
  options.set_max_samples(20);
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

// A core with two states: repeats on an unusual reading take `unusual_ns`.
v1::KernelResult FeedStates(const std::function<bool(int)>& usual, double usual_ns, double unusual_ns) {
  SamplingPolicy policy(WithDefaults({}), 0, {950, 1050});
  for (int i = 0; i < 1000; ++i) {
    const std::optional<uint32_t> runs = policy.NextRuns();
    if (!runs.has_value()) break;
    v1::Sample sample = MakeSample((usual(i) ? usual_ns : unusual_ns) * *runs, *runs);
    sample.set_units_ns(usual(i) ? 1000 : 1100);
    policy.Add(sample);
  }
  v1::KernelResult result;
  policy.Report(&result);
  return result;
}

TEST(SamplingPolicyTest, WaitsForTheCoresUsualState) {
  const v1::KernelResult result = FeedStates([](int i) { return i > 9; }, 100'000, 130'000);
  EXPECT_EQ(result.latency_ns(), 100'000u);
  EXPECT_EQ(result.quality(), v1::QUALITY_GOOD);
  EXPECT_EQ(result.samples_size(), 13);
  // Most repeats of another state do not outvote three of the usual one.
  EXPECT_EQ(FeedStates([](int i) { return i == 2 || i == 4 || i == 5; }, 100'000, 130'000).latency_ns(), 100'000u);
}

TEST(SamplingPolicyTest, AKernelThatOnlyRanInAnotherStateIsFlagged) {
  const v1::KernelResult result = FeedStates([](int) { return false; }, 100'000, 130'000);
  EXPECT_EQ(result.latency_ns(), 130'000u);
  EXPECT_THAT(result.quality_reasons(), testing::Contains(v1::QUALITY_REASON_UNUSUAL_CORE));
  EXPECT_EQ(result.quality(), v1::QUALITY_NOISY);
}

TEST(UsualReadingTest, IsWhatAQuarterOfTheLastReadingsReach) {
  UsualReading usual;
  EXPECT_TRUE(usual.Band().Contains(1));
  for (int i = 0; i < 31; ++i) usual.Learn(1000);
  EXPECT_TRUE(usual.Band().Contains(5000)) << "too few";
  usual.Learn(1000);
  EXPECT_TRUE(usual.Band().Contains(1000));
  EXPECT_FALSE(usual.Band().Contains(1100));
  EXPECT_FALSE(usual.Band().Contains(800));
  EXPECT_TRUE(usual.Band().Contains(0)) << "no reading";
  // The more frequent of two states, unless the rarer one is the faster and not rare.
  for (int i = 0; i < 512; ++i) usual.Learn(i % 3 == 0 ? 1000 : 1100);
  EXPECT_TRUE(usual.Band().Contains(1000));
  EXPECT_FALSE(usual.Band().Contains(1100));
  // What has not been seen for long is forgotten.
  for (int i = 0; i < 512; ++i) usual.Learn(i % 10 == 0 ? 1000 : 1100);
  EXPECT_TRUE(usual.Band().Contains(1100));
  EXPECT_FALSE(usual.Band().Contains(1000));
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

TEST(SamplingPolicyTest, DisturbedRepeatsDoNotCountWhileThereAreOthers) {
  SamplingPolicy policy(WithDefaults({}));
  policy.Add(MakeSample(2'000'000, 1));
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(policy.NextRuns().has_value());
    policy.Add(i < 2 ? MakeSample(9'000'000, 1, /*preemptions=*/3) : MakeSample(2'000'000, 1));
  }
  v1::KernelResult result;
  policy.Report(&result);
  EXPECT_EQ(result.latency_ns(), 2'000'000u);
  EXPECT_EQ(result.quality(), v1::QUALITY_GOOD);
  EXPECT_EQ(result.samples_size(), 6) << "all samples stay in the result";
  EXPECT_EQ(result.samples(1).preemptions(), 3u);
}

TEST(SamplingPolicyTest, ResultsOfADisturbedKernelSayWhy) {
  std::minstd_rand random(7);
  SamplingPolicy policy(WithDefaults({}));
  while (const auto runs = policy.NextRuns()) {
    policy.Add(MakeSample((100'000.0 + random() % 60'000) * *runs, *runs, /*preemptions=*/1));
  }
  v1::KernelResult result;
  policy.Report(&result);
  EXPECT_EQ(result.quality(), v1::QUALITY_NOISY);
  EXPECT_THAT(result.quality_reasons(),
              ::testing::ElementsAre(v1::QUALITY_REASON_WIDE_INTERVAL, v1::QUALITY_REASON_PREEMPTED));
}

// Samples of a kernel of 100 us at the baseline's clock, under one that changes from sample to sample.
v1::KernelResult FeedUnderAMovingClock(bool follows_the_clock, double clock_offset) {
  SamplingPolicy policy(WithDefaults({}), /*sentinel_baseline_ns=*/10'000);
  int index = 0;
  while (const auto runs = policy.NextRuns()) {
    const double speed = 1 + clock_offset + 0.02 * (index++ % 3 - 1);
    v1::Sample sample = MakeSample(100'000.0 / (follows_the_clock ? speed : 1.0) * *runs, *runs);
    sample.set_sentinel_ns(static_cast<uint64_t>(10'000 / speed));
    policy.Add(sample);
  }
  v1::KernelResult result;
  policy.Report(&result);
  return result;
}

TEST(SamplingPolicyTest, TimesThatFollowTheClockAreCorrected) {
  const v1::KernelResult result = FeedUnderAMovingClock(true, -0.04);
  EXPECT_NEAR(static_cast<double>(result.latency_ns()), 100'000, 50);
  EXPECT_NEAR(result.clock_correction(), 0.96, 0.002);
  EXPECT_EQ(result.samples_size(), 6) << "corrected times are steady";
  EXPECT_GT(TimePerRun(result.samples(1)), 102'000) << "samples stay raw";
}

TEST(SamplingPolicyTest, TimesThatDoNotAreLeftAlone) {
  const v1::KernelResult result = FeedUnderAMovingClock(false, -0.04);
  EXPECT_EQ(result.latency_ns(), 100'000u);
  EXPECT_EQ(result.clock_correction(), 1);
}

TEST(SamplingPolicyTest, WithoutABaselineNothingIsCorrected) {
  SamplingPolicy policy(WithDefaults({}));
  while (const auto runs = policy.NextRuns()) {
    v1::Sample sample = MakeSample(100'000.0 * *runs, *runs);
    sample.set_sentinel_ns(5'000);
    policy.Add(sample);
  }
  v1::KernelResult result;
  policy.Report(&result);
  EXPECT_EQ(result.latency_ns(), 100'000u);
}

TEST(SamplingPolicyTest, TheOldColdCacheFieldAsksForTheColdMode) {
  v1::MeasureOptions options;
  EXPECT_EQ(WithDefaults(options).cache_mode(), v1::CACHE_MODE_WARM);
  options.set_cold_cache(true);
  EXPECT_EQ(WithDefaults(options).cache_mode(), v1::CACHE_MODE_COLD);
  options.set_cache_mode(v1::CACHE_MODE_ROTATING);
  EXPECT_EQ(WithDefaults(options).cache_mode(), v1::CACHE_MODE_ROTATING);
}

}  // namespace
}  // namespace tunefleet::device
