// Robust estimates with intervals that assume little: order statistics for one kernel's samples, Wilcoxon's signed
// ranks for the ratios of two kernels' samples. Pure.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_STATISTICS_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_STATISTICS_H_

#include <vector>

namespace tunefleet::device {

// An estimate and the interval that holds the truth with the confidence asked for.
struct Interval {
  double centre = 0;
  double low = 0;
  double high = 0;
  double RelativeHalfWidth() const { return centre > 0 ? (high - low) / 2 / centre : 0; }
};

// The median of `values` (any order, not empty) and its 95% interval (binomial, no assumption on the distribution);
// under six values the interval is their range.
Interval IntervalOfMedian(std::vector<double> values);

// The fewest pairs from which IntervalOfDifferences can be this sure.
int FewestPairs(double confidence);

// The Hodges-Lehmann centre of paired differences (the median of all means of two of them) and the interval from
// Wilcoxon's signed ranks: nothing but symmetry about the centre is assumed. Under FewestPairs the interval is the
// range. `differences` is not empty; time and memory go with its square.
Interval IntervalOfDifferences(const std::vector<double>& differences, double confidence);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_STATISTICS_H_
