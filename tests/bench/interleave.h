// Fair comparison of several programs in one process: A B C A B C ..., medians of the samples, ratios within one run.
#ifndef TUNEFLEET_TESTS_BENCH_INTERLEAVE_H_
#define TUNEFLEET_TESTS_BENCH_INTERLEAVE_H_

#include <functional>
#include <vector>

#include "absl/time/time.h"

namespace tunefleet::bench {

struct InterleaveOptions {
  int rounds = 40;                                     // samples of each contestant, 1 or more; 30 for a claim
  absl::Duration gap = absl::ZeroDuration();           // of rest before every sample, and a run that is not timed
  absl::Duration sample_time = absl::Milliseconds(12);  // a sample repeats the program until it lasts about this long
};

// Median time of one run of each contestant, in nanoseconds. The first round is thrown away.
std::vector<double> InterleavedMedians(const std::vector<std::function<void()>>& contestants,
                                       const InterleaveOptions& options);

double GeometricMean(const std::vector<double>& values);

}  // namespace tunefleet::bench

#endif  // TUNEFLEET_TESTS_BENCH_INTERLEAVE_H_
