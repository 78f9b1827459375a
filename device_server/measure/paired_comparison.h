// Which of two kernels is faster, from pairs of samples taken side by side: fed with pairs, asked for a verdict. No
// I/O, no clock.
//
// Whatever slows the machine slows both samples of a pair, so only the ratios within pairs count. The verdict rests on
// a 99.8% interval of the centre of their logarithms: looked at a handful of times while pairs come in (IsCheckpoint),
// it is wrong in under 1% of comparisons.
//
//   interval within the margin of 1     same
//   interval below 1                    faster
//   interval above 1                    slower
//   else, or too few pairs              ambiguous
//
// Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_PAIRED_COMPARISON_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_PAIRED_COMPARISON_H_

#include <cstddef>
#include <vector>

#include "proto/measurement.pb.h"

namespace tunefleet::device {

class PairedComparison {
 public:
  // Latencies that differ by less than the share `equivalence_margin` are the same.
  explicit PairedComparison(double equivalence_margin) : margin_(equivalence_margin) {}

  // Time per run of the baseline and of the kernel, both positive.
  void Add(double baseline_ns, double kernel_ns);

  size_t pairs() const { return log_ratios_.size(); }

  // True when there are as many pairs as at one of the few looks that the confidence allows for.
  bool IsCheckpoint() const;

  // What the pairs say so far. Unset fields but for the verdict without pairs.
  v1::Comparison Judge() const;

 private:
  const double margin_;
  std::vector<double> log_ratios_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_PAIRED_COMPARISON_H_
