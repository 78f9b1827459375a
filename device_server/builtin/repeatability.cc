#include "device_server/builtin/repeatability.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "device_server/measure/statistics.h"

namespace tunefleet::device {
namespace {

constexpr absl::Duration kTimeLimit = absl::Minutes(1);

}  // namespace

double Repeatability::MedianNs() const { return latencies_ns.empty() ? 0 : IntervalOfMedian(latencies_ns).centre; }

double Repeatability::VariationCoefficient() const {
  const double count = static_cast<double>(latencies_ns.size());
  if (count < 2) return 0;
  const double mean = std::accumulate(latencies_ns.begin(), latencies_ns.end(), 0.0) / count;
  const double squares = std::accumulate(latencies_ns.begin(), latencies_ns.end(), 0.0,
                                         [mean](double sum, double x) { return sum + (x - mean) * (x - mean); });
  return std::sqrt(squares / (count - 1)) / mean;
}

double Repeatability::FlaggedShare() const {
  return measured() == 0 ? 0 : static_cast<double>(flagged.size()) / static_cast<double>(measured());
}

std::vector<Repeatability> MeasureAgain(const std::vector<v1::Trial>& trials, const BlobSource& blobs, int times,
                                        absl::BitGenRef random, TrialRunner* runner) {
  std::vector<Repeatability> outcomes(trials.size());
  std::vector<size_t> order;
  for (size_t i = 0; i < trials.size(); ++i) {
    outcomes[i].name = trials[i].trial_id();
    order.insert(order.end(), static_cast<size_t>(times), i);
  }
  std::shuffle(order.begin(), order.end(), random);
  for (const size_t i : order) {
    v1::TrialResult result =
        runner->Run({.trial = trials[i], .blobs = blobs, .time_limit = kTimeLimit, .cancelled = nullptr});
    Repeatability& outcome = outcomes[i];
    if (result.outcome() != v1::OUTCOME_OK) {
      if (outcome.failure.empty()) {
        outcome.failure = absl::StrCat(v1::Outcome_Name(result.outcome()), ": ", result.detail());
      }
      continue;
    }
    outcome.speeds.push_back(result.sentinel().speed());
    outcome.telemetry = result.telemetry();
    if (result.kernels(0).quality() == v1::QUALITY_GOOD) {
      outcome.latencies_ns.push_back(static_cast<double>(result.kernels(0).latency_ns()));
    } else {
      outcome.flagged.push_back(std::move(result));
    }
  }
  return outcomes;
}

}  // namespace tunefleet::device
