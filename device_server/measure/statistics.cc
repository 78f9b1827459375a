#include "device_server/measure/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "common/check.h"

namespace tunefleet::device {
namespace {

// From here on the rank sum is as good as normal.
constexpr size_t kExactPairs = 50;

double MedianOfSorted(const std::vector<double>& sorted) {
  const size_t n = sorted.size();
  return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

// The x with P(a standard normal > x) = tail, by bisection.
double NormalQuantile(double tail) {
  double low = 0, high = 40;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::sqrt(2.0)) / 2 > tail ? low : high) = middle;
  }
  return low;
}

// Largest k with P(rank sum of n pairs < k) <= tail, when either sign is equally likely: the interval runs from the
// k-th smallest to the k-th largest mean of two. 0 when there is none.
size_t RankCut(size_t n, double tail) {
  if (n > kExactPairs) {
    const double count = static_cast<double>(n);
    const double mean = count * (count + 1) / 4;
    const double deviation = std::sqrt(count * (count + 1) * (2 * count + 1) / 24);
    return static_cast<size_t>(std::max(0.0, std::floor(mean - NormalQuantile(tail) * deviation)));
  }
  // ways[s]: probability that the ranks with a positive sign sum up to s.
  std::vector<double> ways(n * (n + 1) / 2 + 1, 0.0);
  ways[0] = 1;
  for (size_t rank = 1; rank <= n; ++rank) {
    for (size_t sum = ways.size(); sum-- > 0;) {
      ways[sum] = (ways[sum] + (sum >= rank ? ways[sum - rank] : 0)) / 2;
    }
  }
  size_t k = 0;
  for (double below = ways[0]; below <= tail && k + 1 < ways.size(); below += ways[k]) ++k;
  return k;
}

}  // namespace

Interval IntervalOfMedian(std::vector<double> values) {
  TF_CHECK(!values.empty(), "the median of nothing");
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
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
  return {MedianOfSorted(values), values[first], values[n - 1 - first]};
}

int FewestPairs(double confidence) {
  size_t n = 1;
  while (RankCut(n, (1 - confidence) / 2) == 0) ++n;
  return static_cast<int>(n);
}

Interval IntervalOfDifferences(const std::vector<double>& differences, double confidence) {
  TF_CHECK(!differences.empty(), "the centre of nothing");
  std::vector<double> means;
  means.reserve(differences.size() * (differences.size() + 1) / 2);
  for (size_t i = 0; i < differences.size(); ++i) {
    for (size_t j = i; j < differences.size(); ++j) means.push_back((differences[i] + differences[j]) / 2);
  }
  std::sort(means.begin(), means.end());
  const size_t k = std::max<size_t>(1, RankCut(differences.size(), (1 - confidence) / 2));
  return {MedianOfSorted(means), means[k - 1], means[means.size() - k]};
}

}  // namespace tunefleet::device
