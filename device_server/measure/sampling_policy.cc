#include "device_server/measure/sampling_policy.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "common/proto_time.h"

namespace tunefleet::device {
namespace {

constexpr uint32_t kDefaultMinSamples = 5;
constexpr uint32_t kDefaultMaxSamples = 80;
constexpr uint32_t kFewestRepeats = 3;
constexpr uint32_t kMostSamples = 250;  // results carry at most 256, screening included
constexpr absl::Duration kDefaultMinSampleTime = absl::Milliseconds(2);
constexpr absl::Duration kDefaultRunBudget = absl::Milliseconds(200);
constexpr absl::Duration kDefaultKernelTimeout = absl::Seconds(4);
constexpr absl::Duration kDefaultLoadTimeout = absl::Seconds(10);
constexpr uint64_t kDefaultMemoryLimit = uint64_t{512} << 20;
constexpr double kDefaultEquivalenceMargin = 0.005;
constexpr double kTightForContenders = 0.01;
constexpr double kTightForOthers = 0.03;
constexpr double kNoisy = 0.03;
// Times whose spread grows so much when they are corrected do not follow the clock.
constexpr double kFollowsNot = 0.8;
constexpr uint32_t kMostRunsPerSample = 1'000'000;

void SetIfUnset(google::protobuf::Duration* field, absl::Duration value) {
  if (common::DurationFromProto(*field) <= absl::ZeroDuration()) *field = common::DurationToProto(value);
}

// Mean distance from the median, relative to it.
double Spread(const std::vector<double>& values) {
  const double median = IntervalOfMedian(values).centre;
  double sum = 0;
  for (const double value : values) sum += std::abs(value - median);
  return sum / median / static_cast<double>(values.size());
}

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
  if (options.cache_mode() == v1::CACHE_MODE_UNSPECIFIED) {
    options.set_cache_mode(options.cold_cache() ? v1::CACHE_MODE_COLD : v1::CACHE_MODE_WARM);
  }
  options.set_cold_cache(options.cache_mode() == v1::CACHE_MODE_COLD);
  if (!(options.equivalence_margin() > 0)) options.set_equivalence_margin(kDefaultEquivalenceMargin);
  return options;
}

double TimePerRun(const v1::Sample& sample) {
  return static_cast<double>(sample.total_ns()) / std::max(sample.runs(), 1u);
}

SamplingPolicy::SamplingPolicy(const v1::MeasureOptions& options, uint64_t sentinel_baseline_ns,
                               ReadingBand usual_units)
    : options_(options),
      sentinel_baseline_ns_(static_cast<double>(sentinel_baseline_ns)),
      usual_units_(usual_units),
      min_sample_time_(common::DurationFromProto(options.min_sample_time())),
      run_budget_(common::DurationFromProto(options.run_budget())) {}

std::optional<uint32_t> SamplingPolicy::NextRuns() const {
  switch (phase_) {
    case Phase::kDone:
      return std::nullopt;
    case Phase::kScreen:
    case Phase::kRescreen:
      return 1;
    case Phase::kRepeat:
      return RunsOfARepeat();
  }
  return std::nullopt;
}

uint32_t SamplingPolicy::RunsOfARepeat() const {
  const double wanted = std::ceil(absl::ToDoubleNanoseconds(min_sample_time_) / std::max(best_screening_ns_, 1.0));
  return static_cast<uint32_t>(std::clamp(wanted, 1.0, static_cast<double>(kMostRunsPerSample)));
}

void SamplingPolicy::Add(const v1::Sample& sample) {
  samples_.push_back(sample);
  spent_ += absl::Nanoseconds(sample.total_ns());
  if (phase_ == Phase::kScreen || phase_ == Phase::kRescreen) {
    ++screening_samples_;
    const double time = std::max(TimePerRun(sample), 1.0);
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

bool SamplingPolicy::IsClean(const v1::Sample& sample) const {
  return sample.preemptions() == 0 && usual_units_.Contains(sample.units_ns());
}

size_t SamplingPolicy::CleanRepeats() const {
  return static_cast<size_t>(std::count_if(samples_.begin() + static_cast<ptrdiff_t>(screening_samples_),
                                           samples_.end(),
                                           [this](const v1::Sample& sample) { return IsClean(sample); }));
}

std::vector<v1::Sample> SamplingPolicy::Counting() const {
  const size_t first = repeats() == 0 ? 0 : screening_samples_;
  const bool clean_only = CleanRepeats() >= kFewestRepeats;
  std::vector<v1::Sample> samples;
  for (size_t i = first; i < samples_.size(); ++i) {
    if (!clean_only || IsClean(samples_[i])) samples.push_back(samples_[i]);
  }
  return samples;
}

std::vector<double> SamplingPolicy::RawTimes() const {
  std::vector<double> times;
  for (const v1::Sample& sample : Counting()) times.push_back(TimePerRun(sample));
  return times;
}

std::vector<double> SamplingPolicy::Times() const {
  std::vector<double> raw = RawTimes(), corrected = raw;
  size_t i = 0;
  for (const v1::Sample& sample : Counting()) {
    if (sample.sentinel_ns() == 0 || sentinel_baseline_ns_ <= 0) return raw;
    corrected[i++] *= sentinel_baseline_ns_ / static_cast<double>(sample.sentinel_ns());
  }
  return Spread(raw) < kFollowsNot * Spread(corrected) ? raw : corrected;
}

bool SamplingPolicy::Enough() const {
  if (repeats() >= options_.max_samples()) return true;
  const Interval interval = IntervalOfMedian(Times());
  const bool contender = IsContender(interval);
  if (spent_ >= run_budget_) return !contender || repeats() >= kFewestRepeats;
  if (repeats() < options_.min_samples() || (contender && CleanRepeats() < kFewestRepeats)) return false;
  return interval.RelativeHalfWidth() <= (contender ? kTightForContenders : kTightForOthers);
}

bool SamplingPolicy::IsContender(const Interval& interval) const {
  return options_.incumbent_ns() == 0 || interval.low <= static_cast<double>(options_.incumbent_ns());
}

absl::Duration SamplingPolicy::Estimate() const {
  return samples_.empty() ? absl::ZeroDuration() : absl::Nanoseconds(IntervalOfMedian(Times()).centre);
}

void SamplingPolicy::Report(v1::KernelResult* result) const {
  for (const v1::Sample& sample : samples_) *result->add_samples() = sample;
  result->set_censored(censored_);
  if (samples_.empty()) return;
  const Interval interval = IntervalOfMedian(Times());
  result->set_latency_ns(static_cast<uint64_t>(std::max<int64_t>(std::llround(interval.centre), 1)));
  result->set_clock_correction(interval.centre / IntervalOfMedian(RawTimes()).centre);
  if (repeats() < kFewestRepeats) result->add_quality_reasons(v1::QUALITY_REASON_FEW_SAMPLES);
  if (interval.RelativeHalfWidth() > kNoisy) result->add_quality_reasons(v1::QUALITY_REASON_WIDE_INTERVAL);
  size_t preempted = 0, unusual = 0;
  for (size_t i = screening_samples_; i < samples_.size(); ++i) {
    preempted += samples_[i].preemptions() > 0 ? 1 : 0;
    unusual += usual_units_.Contains(samples_[i].units_ns()) ? 0 : 1;
  }
  // A switch or two in a long sample take nothing from it; what they took shows in the interval.
  if (2 * preempted > repeats() && interval.RelativeHalfWidth() > kTightForContenders) {
    result->add_quality_reasons(v1::QUALITY_REASON_PREEMPTED);
  }
  if (CleanRepeats() < kFewestRepeats && 2 * unusual > repeats()) {
    result->add_quality_reasons(v1::QUALITY_REASON_UNUSUAL_CORE);
  }
  result->set_quality(result->quality_reasons().empty() ? v1::QUALITY_GOOD : v1::QUALITY_NOISY);
}

}  // namespace tunefleet::device
