#include "device_server/measure/drift_tracker.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace tunefleet::device {
namespace {

constexpr size_t kBaselineReadings = 9;
constexpr double kCorrectable = 0.20;

uint64_t Median(std::vector<uint64_t> readings) {
  const auto middle = readings.begin() + static_cast<ptrdiff_t>(readings.size() / 2);
  std::nth_element(readings.begin(), middle, readings.end());
  return *middle;
}

}  // namespace

void DriftTracker::Learn(uint64_t reading_ns) {
  if (first_.size() < kBaselineReadings && reading_ns > 0) first_.push_back(reading_ns);
}

uint64_t DriftTracker::baseline_ns() const { return first_.empty() ? 0 : Median(first_); }

DriftTracker::Judgement DriftTracker::Judge(std::vector<uint64_t> readings_ns) const {
  std::erase(readings_ns, 0u);
  if (readings_ns.empty() || first_.empty()) return {};
  const double speed = static_cast<double>(baseline_ns()) / static_cast<double>(Median(std::move(readings_ns)));
  return {speed, std::abs(speed - 1) > kCorrectable};
}

}  // namespace tunefleet::device
