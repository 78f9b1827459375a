#include "device_server/measure/sampling_policy.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"

namespace tunefleet::device {
namespace {

constexpr uint32_t kDefaultMinSamples = 5;
constexpr uint32_t kDefaultMaxSamples = 20;
constexpr uint32_t kFewestRepeats = 3;
constexpr uint32_t kMostSamples = 250;  // results carry at most 256, screening included
constexpr absl::Duration kDefaultMinSampleTime = absl::Milliseconds(2);
constexpr absl::Duration kDefaultRunBudget = absl::Milliseconds(40);
constexpr absl::Duration kDefaultKernelTimeout = absl::Seconds(4);
constexpr absl::Duration kDefaultLoadTimeout = absl::Seconds(10);
constexpr uint64_t kDefaultMemoryLimit = uint64_t{512} << 20;
constexpr double kTightForContenders = 0.01;
constexpr double kTightForOthers = 0.03;
constexpr double kNoisy = 0.03;
constexpr uint32_t kMostRunsPerSample = 1'000'000;

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

void SetIfUnset(google::protobuf::Duration* field, absl::Duration value) {
  if (FromProto(*field) > absl::ZeroDuration()) return;
  field->set_seconds(absl::ToInt64Seconds(value));
  field->set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(value % absl::Seconds(1))));
}

double PerRun(const v1::Sample& sample) { return static_cast<double>(sample.total_ns()) / sample.runs(); }

}  // namespace

v1::MeasureOptions WithDefaults(v1::MeasureOptions options) {
  if (options.min_samples() == 0) options.set_min_samples(kDefaultMinSamples);
  if (options.max_samples() == 0) options.set_max_samples(std::max(kDefaultMaxSamples, options.min_samples()));
  options.set_max_samples(std::min(options.max_samples(), kMostSamples));
  options.set_min_samples(std::min(options.min_samples(), options.max_samples()));
  SetIfUnset(options.mutable_min_sample_time(), kDefaultMinSampleTime);
  SetIfUnset(options.mutable_run_budget(), kDefaultRunBudget);
  SetIfUnset(options.mutable_kernel_timeout(), kDefaultKernelTimeout);
  SetIfUnset(options.mutable_load_timeout(), kDefaultLoadTimeout);
  if (options.memory_limit_bytes() == 0) options.set_memory_limit_bytes(kDefaultMemoryLimit);
  if (options.threads() == 0) options.set_threads(1);
  return options;
}

MedianInterval IntervalOfMedian(std::vector<double> values) {
  TF_CHECK(!values.empty(), "the median of nothing");
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  MedianInterval interval;
  interval.median = n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
  // Largest k with P(Binomial(n, 1/2) < k) <= 2.5%: the interval runs from the k-th smallest to the k-th largest. Under
  // six samples there is none, and the whole range (94% at five) has to do.
  size_t k = 0;
  double term = std::ldexp(1.0, -static_cast<int>(n));
  double below = term;
  while (below <= 0.025 && k < n / 2) {
    ++k;
    term *= static_cast<double>(n - k + 1) / static_cast<double>(k);
    below += term;
  }
  const size_t first = k == 0 ? 0 : k - 1;
  interval.low = values[first];
  interval.high = values[n - 1 - first];
  return interval;
}

SamplingPolicy::SamplingPolicy(const v1::MeasureOptions& options)
    : options_(options),
      min_sample_time_(FromProto(options.min_sample_time())),
      run_budget_(FromProto(options.run_budget())) {}

std::optional<uint32_t> SamplingPolicy::NextRuns() const {
  switch (phase_) {
    case Phase::kDone:
      return std::nullopt;
    case Phase::kScreen:
    case Phase::kRescreen:
      return 1;
    case Phase::kRepeat:
      break;
  }
  const double wanted = std::ceil(absl::ToDoubleNanoseconds(min_sample_time_) / std::max(best_screening_ns_, 1.0));
  return static_cast<uint32_t>(std::clamp(wanted, 1.0, static_cast<double>(kMostRunsPerSample)));
}

void SamplingPolicy::Add(absl::Duration total, uint32_t runs) {
  v1::Sample& sample = samples_.emplace_back();
  sample.set_total_ns(static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Nanoseconds(total), 1)));
  sample.set_runs(runs);
  spent_ += total;
  if (phase_ == Phase::kScreen || phase_ == Phase::kRescreen) {
    ++screening_samples_;
    const double time = PerRun(sample);
    best_screening_ns_ = screening_samples_ == 1 ? time : std::min(best_screening_ns_, time);
    FinishScreening();
  } else if (Enough()) {
    phase_ = Phase::kDone;
  }
}

void SamplingPolicy::FinishScreening() {
  const double limit = static_cast<double>(options_.incumbent_ns()) * options_.abort_ratio();
  if (limit <= 0 || best_screening_ns_ <= limit) {
    phase_ = Phase::kRepeat;
  } else if (phase_ == Phase::kScreen) {
    phase_ = Phase::kRescreen;
  } else {
    censored_ = true;
    phase_ = Phase::kDone;
  }
}

std::vector<double> SamplingPolicy::RepeatTimes() const {
  std::vector<double> times;
  for (size_t i = screening_samples_; i < samples_.size(); ++i) times.push_back(PerRun(samples_[i]));
  if (times.empty()) {
    for (const v1::Sample& sample : samples_) times.push_back(PerRun(sample));
  }
  return times;
}

bool SamplingPolicy::Enough() const {
  const size_t repeats = samples_.size() - screening_samples_;
  if (repeats >= options_.max_samples()) return true;
  const MedianInterval interval = IntervalOfMedian(RepeatTimes());
  const bool contender = IsContender(interval);
  if (spent_ >= run_budget_) return !contender || repeats >= kFewestRepeats;
  if (repeats < options_.min_samples()) return false;
  return interval.RelativeHalfWidth() <= (contender ? kTightForContenders : kTightForOthers);
}

bool SamplingPolicy::IsContender(const MedianInterval& interval) const {
  return options_.incumbent_ns() == 0 || interval.low <= static_cast<double>(options_.incumbent_ns());
}

absl::Duration SamplingPolicy::Estimate() const {
  return samples_.empty() ? absl::ZeroDuration() : absl::Nanoseconds(IntervalOfMedian(RepeatTimes()).median);
}

void SamplingPolicy::Report(v1::KernelResult* result) const {
  for (const v1::Sample& sample : samples_) *result->add_samples() = sample;
  result->set_censored(censored_);
  if (samples_.empty()) return;
  const MedianInterval interval = IntervalOfMedian(RepeatTimes());
  result->set_latency_ns(static_cast<uint64_t>(std::llround(interval.median)));
  const bool few = samples_.size() - screening_samples_ < kFewestRepeats;
  result->set_quality(few || interval.RelativeHalfWidth() > kNoisy ? v1::QUALITY_NOISY : v1::QUALITY_GOOD);
}

}  // namespace tunefleet::device
