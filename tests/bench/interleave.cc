#include "tests/bench/interleave.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/time/clock.h"
#include "common/clock.h"

namespace tunefleet::bench {
namespace {

double TimeRuns(const std::function<void()>& run, int count) {
  const absl::Time start = common::MonotonicClock().Now();
  for (int i = 0; i < count; ++i) run();
  return absl::ToDoubleNanoseconds(common::MonotonicClock().Now() - start) / count;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

std::vector<double> InterleavedMedians(const std::vector<std::function<void()>>& contestants,
                                       const InterleaveOptions& options) {
  std::vector<int> runs;
  for (const auto& run : contestants) {
    run();
    const double once = TimeRuns(run, 2);
    runs.push_back(std::clamp(static_cast<int>(absl::ToDoubleNanoseconds(options.sample_time) / once), 1, 10000));
  }
  std::vector<std::vector<double>> samples(contestants.size());
  for (int round = 0; round <= options.rounds; ++round) {
    for (size_t i = 0; i < contestants.size(); ++i) {
      if (options.gap > absl::ZeroDuration()) {
        absl::SleepFor(options.gap);
        contestants[i]();
      }
      const double sample = TimeRuns(contestants[i], runs[i]);
      if (round > 0) samples[i].push_back(sample);
    }
  }
  std::vector<double> medians;
  for (auto& values : samples) medians.push_back(Median(std::move(values)));
  return medians;
}

double GeometricMean(const std::vector<double>& values) {
  const double sum =
      std::accumulate(values.begin(), values.end(), 0.0, [](double a, double b) { return a + std::log(b); });
  return values.empty() ? 0 : std::exp(sum / static_cast<double>(values.size()));
}

}  // namespace tunefleet::bench
