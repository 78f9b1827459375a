#include "device_server/measure/trial_policy.h"

#include <algorithm>
#include <numeric>

#include "absl/random/random.h"
#include "common/proto_time.h"

namespace tunefleet::device {
namespace {

absl::Duration Budget(const v1::MeasureOptions& options, size_t kernels) {
  return common::DurationFromProto(options.run_budget()) * static_cast<int64_t>(kernels);
}

}  // namespace

TrialPolicy::TrialPolicy(const v1::MeasureOptions& options, size_t kernels, uint64_t sentinel_baseline_ns,
                         ReadingBand usual_units)
    : options_(options), budget_(Budget(options, kernels)), order_(kernels) {
  contestants_.reserve(kernels);
  for (size_t i = 0; i < kernels; ++i) contestants_.emplace_back(options_, sentinel_baseline_ns, usual_units);
  std::iota(order_.begin(), order_.end(), size_t{0});
  next_ = kernels;
}

bool TrialPolicy::ComparisonOpen(size_t kernel) const {
  const Contestant& first = contestants_.front();
  const Contestant& other = contestants_[kernel];
  if (kernel == 0 || other.decided || first.sampling.censored() || other.sampling.censored()) return false;
  if (!first.sampling.screened() || !other.sampling.screened()) return false;
  if (std::max(first.sampling.repeats(), other.sampling.repeats()) >= options_.max_samples()) return false;
  absl::Duration spent;
  for (const Contestant& contestant : contestants_) spent += contestant.sampling.spent();
  return spent < budget_;
}

std::optional<uint32_t> TrialPolicy::RunsWanted(size_t kernel) const {
  const SamplingPolicy& sampling = contestants_[kernel].sampling;
  if (const std::optional<uint32_t> runs = sampling.NextRuns()) return runs;
  bool compared = ComparisonOpen(kernel);
  for (size_t i = 1; kernel == 0 && i < contestants_.size(); ++i) compared |= ComparisonOpen(i);
  return compared ? std::optional(sampling.RunsOfARepeat()) : std::nullopt;
}

void TrialPolicy::BeginRound(absl::BitGenRef random) {
  if (reverse_) {
    std::reverse(order_.begin(), order_.end());
  } else {
    std::shuffle(order_.begin(), order_.end(), random);
  }
  reverse_ = !reverse_;
  next_ = 0;
}

void TrialPolicy::EndRound() {
  const std::optional<double> baseline = contestants_.front().repeat_ns;
  for (size_t i = 1; i < contestants_.size(); ++i) {
    Contestant& contestant = contestants_[i];
    if (contestant.repeat_ns && baseline) {
      contestant.comparison.Add(*baseline, *contestant.repeat_ns);
      contestant.decided |=
          contestant.comparison.IsCheckpoint() && contestant.comparison.Judge().verdict() != v1::VERDICT_AMBIGUOUS;
    }
  }
  for (Contestant& contestant : contestants_) contestant.repeat_ns.reset();
}

std::optional<TrialPolicy::Step> TrialPolicy::Next(absl::BitGenRef random) {
  // At most the rest of this round and one whole round more: in that one either somebody wants a sample or all is done.
  for (int rounds = 0; rounds < 2; ++rounds) {
    for (; next_ < order_.size(); ++next_) {
      const size_t kernel = order_[next_];
      if (const std::optional<uint32_t> runs = RunsWanted(kernel)) {
        return Step{.kernel = kernel,
                    .runs = *runs,
                    .expected = contestants_[kernel].sampling.Estimate() * *runs,
                    .warm_up = options_.cache_mode() == v1::CACHE_MODE_WARM && order_.size() > 1 && last_ != kernel};
      }
    }
    EndRound();
    BeginRound(random);
  }
  return std::nullopt;
}

void TrialPolicy::Add(const Step& step, const v1::Sample& sample) {
  Contestant& contestant = contestants_[step.kernel];
  const bool repeat = contestant.sampling.screened();
  contestant.sampling.Add(sample);
  if (step.warm_up) contestant.sampling.Spend(absl::Nanoseconds(TimePerRun(sample)));
  if (repeat && sample.preemptions() == 0) contestant.repeat_ns = std::max(TimePerRun(sample), 1e-3);
  last_ = step.kernel;
  ++next_;
}

void TrialPolicy::Report(size_t kernel, v1::KernelResult* result) const {
  const Contestant& contestant = contestants_[kernel];
  contestant.sampling.Report(result);
  if (contestant.comparison.pairs() > 0) *result->mutable_comparison() = contestant.comparison.Judge();
}

}  // namespace tunefleet::device
