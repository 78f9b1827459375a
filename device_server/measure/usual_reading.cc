#include "device_server/measure/usual_reading.h"

#include <algorithm>

namespace tunefleet::device {
namespace {

constexpr size_t kEnough = 32;
constexpr size_t kRemembered = 512;
constexpr double kBelow = 0.08;
constexpr double kAbove = 0.055;

}  // namespace

void UsualReading::Learn(uint64_t reading_ns) {
  if (reading_ns == 0) return;
  if (last_.size() < kRemembered) {
    last_.push_back(reading_ns);
    return;
  }
  last_[next_] = reading_ns;
  next_ = (next_ + 1) % kRemembered;
}

ReadingBand UsualReading::Band() const {
  if (last_.size() < kEnough) return {};
  std::vector<uint64_t> readings = last_;
  const auto quarter = readings.begin() + static_cast<ptrdiff_t>(readings.size() / 4);
  std::nth_element(readings.begin(), quarter, readings.end());
  const auto usual = static_cast<double>(*quarter);
  return {static_cast<uint64_t>(usual * (1 - kBelow)), static_cast<uint64_t>(usual * (1 + kAbove))};
}

}  // namespace tunefleet::device
