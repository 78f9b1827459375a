#include "device_server/measure/trial_policy.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace tunefleet::device {
namespace {

// Feeds the policy kernels whose i-th run takes `ns_of_run(kernel, i)`. Gives the order in which they were sampled.
std::vector<size_t> Feed(TrialPolicy* policy, const std::function<double(size_t, int)>& ns_of_run) {
  std::mt19937 random(1);
  std::vector<size_t> order;
  while (const auto step = policy->Next(random)) {
    v1::Sample sample;
    sample.set_runs(step->runs);
    sample.set_total_ns(static_cast<uint64_t>(ns_of_run(step->kernel, static_cast<int>(order.size())) * step->runs));
    policy->Add(*step, sample);
    order.push_back(step->kernel);
    if (order.size() > 10'000) break;
  }
  return order;
}

v1::MeasureOptions Options() {
  v1::MeasureOptions options;
  options.set_max_samples(60);
  options.mutable_run_budget()->set_seconds(1);
  return WithDefaults(options);
}

v1::KernelResult ReportOf(const TrialPolicy& policy, size_t kernel) {
  v1::KernelResult result;
  policy.Report(kernel, &result);
  return result;
}

TEST(TrialPolicyTest, OneKernelIsSampledAsItsPolicyAsks) {
  TrialPolicy policy(Options(), 1);
  EXPECT_EQ(Feed(&policy, [](size_t, int) { return 100'000.0; }).size(), 6u);
  const v1::KernelResult result = ReportOf(policy, 0);
  EXPECT_EQ(result.latency_ns(), 100'000u);
  EXPECT_FALSE(result.has_comparison());
}

TEST(TrialPolicyTest, AWarmKernelRunsOnceBeforeItsSampleWhenOthersRanSinceTheLast) {
  for (const auto& [kernels, mode] : {std::pair{1, v1::CACHE_MODE_WARM}, std::pair{2, v1::CACHE_MODE_WARM},
                                      std::pair{3, v1::CACHE_MODE_WARM}, std::pair{3, v1::CACHE_MODE_COLD}}) {
    v1::MeasureOptions options = Options();
    options.set_cache_mode(mode);
    TrialPolicy policy(options, kernels);
    std::mt19937 random(2);
    std::optional<size_t> last;
    int in_a_row = 0;
    while (const auto step = policy.Next(random)) {
      EXPECT_EQ(step->warm_up, mode == v1::CACHE_MODE_WARM && kernels > 1 && last != step->kernel) << kernels;
      in_a_row += last == step->kernel;
      last = step->kernel;
      v1::Sample sample;
      sample.set_runs(step->runs);
      sample.set_total_ns(100'000 * uint64_t{step->runs});
      policy.Add(*step, sample);
    }
    EXPECT_GT(in_a_row, 0) << kernels;
  }
}

TEST(TrialPolicyTest, RunsThatWarmUpAreInTheBudget) {
  // One run fills a sample, and no two are alike: the budget ends it.
  const auto samples = [](v1::CacheMode mode) {
    v1::MeasureOptions options = Options();
    options.set_cache_mode(mode);
    options.set_max_samples(250);
    TrialPolicy policy(options, 2);
    std::mt19937 random(5);
    std::uniform_real_distribution<double> wide(5e6, 15e6);
    return Feed(&policy, [&](size_t, int) { return wide(random); }).size();
  };
  EXPECT_GT(samples(v1::CACHE_MODE_COLD), 150u) << "of 10 ms in 2 s";
  EXPECT_LT(samples(v1::CACHE_MODE_WARM), 150u);
}

TEST(TrialPolicyTest, TheSlowerOfTwoIsFoundAndSaid) {
  TrialPolicy policy(Options(), 2);
  std::mt19937 random(4);
  std::normal_distribution<double> noise(0, 300);
  const auto order = Feed(&policy, [&](size_t k, int) { return (k == 0 ? 100'000 : 102'000) + noise(random); });
  EXPECT_FALSE(ReportOf(policy, 0).has_comparison());
  const v1::KernelResult second = ReportOf(policy, 1);
  EXPECT_EQ(second.comparison().verdict(), v1::VERDICT_SLOWER);
  EXPECT_NEAR(second.comparison().ratio(), 1.02, 0.005);
  EXPECT_GE(second.comparison().pairs(), 10u);
  EXPECT_LT(order.size(), 40u) << "it ends when the verdict stands";
}

TEST(TrialPolicyTest, EveryOrderIsFollowedByItsReverse) {
  TrialPolicy policy(Options(), 2);
  std::mt19937 random(4);
  std::normal_distribution<double> noise(0, 10'000);
  const auto order = Feed(&policy, [&](size_t, int) { return 100'000 + noise(random); });
  ASSERT_GE(order.size(), 40u);
  int first_first = 0;
  for (size_t i = 0; i + 3 < order.size() && i < 40; i += 4) {
    EXPECT_EQ(order[i], order[i + 3]);
    EXPECT_EQ(order[i + 1], order[i + 2]);
    EXPECT_NE(order[i], order[i + 1]);
    first_first += order[i] == 0;
  }
  EXPECT_GT(first_first, 0);
  EXPECT_LT(first_first, 10) << "the first of the two orders is drawn anew each time";
}

// A machine that grows slower all the time: the later sample of a pair looks worse, the order must not decide.
TEST(TrialPolicyTest, ASlowingMachineDoesNotMakeEqualKernelsDiffer) {
  TrialPolicy policy(Options(), 2);
  std::mt19937 random(4);
  std::normal_distribution<double> noise(0, 100);
  Feed(&policy, [&](size_t, int i) { return 100'000 * (1 + 0.002 * i) + noise(random); });
  const v1::Comparison comparison = ReportOf(policy, 1).comparison();
  EXPECT_TRUE(comparison.verdict() == v1::VERDICT_SAME || comparison.verdict() == v1::VERDICT_AMBIGUOUS)
      << comparison.ShortDebugString();
}

TEST(TrialPolicyTest, EachOfSeveralIsComparedWithTheFirst) {
  TrialPolicy policy(Options(), 4);
  std::mt19937 random(4);
  std::normal_distribution<double> noise(0, 100);
  const double times[] = {100'000, 103'000, 97'000, 100'010};
  Feed(&policy, [&](size_t k, int) { return times[k] + noise(random); });
  EXPECT_EQ(ReportOf(policy, 1).comparison().verdict(), v1::VERDICT_SLOWER);
  EXPECT_EQ(ReportOf(policy, 2).comparison().verdict(), v1::VERDICT_FASTER);
  EXPECT_EQ(ReportOf(policy, 3).comparison().verdict(), v1::VERDICT_SAME);
}

TEST(TrialPolicyTest, TheBudgetEndsAnUndecidedComparison) {
  v1::MeasureOptions options;
  options.mutable_run_budget()->set_nanos(30'000'000);
  options.set_max_samples(200);
  TrialPolicy policy(WithDefaults(options), 2);
  std::mt19937 random(4);
  std::normal_distribution<double> noise(0, 20'000);
  const auto order = Feed(&policy, [&](size_t, int) { return 100'000 + noise(random); });
  EXPECT_LT(order.size(), 60u) << "60 ms of 2 ms samples";
  EXPECT_EQ(ReportOf(policy, 1).comparison().verdict(), v1::VERDICT_AMBIGUOUS);
}

TEST(TrialPolicyTest, ACensoredKernelIsNotCompared) {
  v1::MeasureOptions options = Options();
  options.set_incumbent_ns(100'000);
  options.set_abort_ratio(1.5);
  TrialPolicy policy(options, 2);
  Feed(&policy, [](size_t k, int) { return k == 0 ? 100'000.0 : 900'000.0; });
  EXPECT_TRUE(ReportOf(policy, 1).censored());
  EXPECT_FALSE(ReportOf(policy, 1).has_comparison());
  EXPECT_EQ(ReportOf(policy, 0).samples_size(), 6);
}

}  // namespace
}  // namespace tunefleet::device
