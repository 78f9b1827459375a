#include "device_server/measure/drift_tracker.h"

#include <algorithm>
#include <cmath>

#include "common/check.h"

namespace tunefleet::device {
namespace {

constexpr size_t kBaselineReadings = 9;
constexpr double kUnsteady = 0.02;     // between before and after
constexpr double kNegligible = 0.01;   // from the baseline
constexpr double kCorrectable = 0.10;  // from the baseline

}  // namespace

void DriftTracker::Learn(uint64_t reading_ns) {
  if (first_.size() < kBaselineReadings) first_.push_back(reading_ns);
}

uint64_t DriftTracker::Baseline() const {
  std::vector<uint64_t> readings = first_;
  const auto middle = readings.begin() + static_cast<ptrdiff_t>(readings.size() / 2);
  std::nth_element(readings.begin(), middle, readings.end());
  return *middle;
}

DriftTracker::Judgement DriftTracker::Judge(uint64_t before_ns, uint64_t after_ns) {
  TF_CHECK(before_ns > 0, "a sentinel that took no time");
  Learn(before_ns);
  const double before = static_cast<double>(before_ns);
  const double after = after_ns == 0 ? before : static_cast<double>(after_ns);
  const double speed = static_cast<double>(Baseline()) / ((before + after) / 2);
  const bool steady = std::abs(after - before) <= kUnsteady * before;
  const double change = std::abs(speed - 1);
  Judgement judgement;
  judgement.flagged = !steady || change > kCorrectable;
  judgement.sentinel.set_before_ns(before_ns);
  judgement.sentinel.set_after_ns(after_ns);
  judgement.sentinel.set_baseline_ns(Baseline());
  judgement.sentinel.set_speed(speed);
  judgement.sentinel.set_correction(judgement.flagged || change <= kNegligible ? 1 : speed);
  return judgement;
}

}  // namespace tunefleet::device
