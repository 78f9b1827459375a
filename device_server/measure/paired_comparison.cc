#include "device_server/measure/paired_comparison.h"

#include <cmath>

#include "common/check.h"
#include "device_server/measure/statistics.h"

namespace tunefleet::device {
namespace {

constexpr double kConfidence = 0.998;
constexpr size_t kFirstLook = 10;  // FewestPairs(kConfidence)

}  // namespace

void PairedComparison::Add(double baseline_ns, double kernel_ns) {
  TF_CHECK(baseline_ns > 0 && kernel_ns > 0, "a sample that took no time");
  log_ratios_.push_back(std::log(kernel_ns / baseline_ns));
}

bool PairedComparison::IsCheckpoint() const {
  size_t look = kFirstLook;
  while (look < pairs()) look += look / 2;
  return look == pairs();
}

v1::Comparison PairedComparison::Judge() const {
  v1::Comparison comparison;
  comparison.set_verdict(v1::VERDICT_AMBIGUOUS);
  if (log_ratios_.empty()) return comparison;
  const Interval interval = IntervalOfDifferences(log_ratios_, kConfidence);
  comparison.set_ratio(std::exp(interval.centre));
  comparison.set_ratio_low(std::exp(interval.low));
  comparison.set_ratio_high(std::exp(interval.high));
  comparison.set_pairs(static_cast<uint32_t>(pairs()));
  if (pairs() < kFirstLook) return comparison;
  const double margin = std::log1p(margin_);
  if (interval.low > -margin && interval.high < margin) {
    comparison.set_verdict(v1::VERDICT_SAME);
  } else if (interval.high < 0) {
    comparison.set_verdict(v1::VERDICT_FASTER);
  } else if (interval.low > 0) {
    comparison.set_verdict(v1::VERDICT_SLOWER);
  }
  return comparison;
}

}  // namespace tunefleet::device
