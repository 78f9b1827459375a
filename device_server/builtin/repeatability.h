// How well a device repeats itself: trials measured again and again, in random order among one another.
#ifndef TUNEFLEET_DEVICE_SERVER_BUILTIN_REPEATABILITY_H_
#define TUNEFLEET_DEVICE_SERVER_BUILTIN_REPEATABILITY_H_

#include <string>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "device_server/measure/blob_source.h"
#include "device_server/measure/trial_runner.h"
#include "proto/measurement.pb.h"

namespace tunefleet::device {

// One trial's results. A result counts as flagged when its quality is not GOOD.
struct Repeatability {
  std::string name;                  // the trial's id
  std::vector<double> latencies_ns;  // of the results that were not flagged, in order of measurement
  std::vector<v1::TrialResult> flagged;
  std::vector<double> speeds;  // of the clock, Sentinel.speed of every result
  v1::Telemetry telemetry;     // of the last result
  std::string failure;         // the first result that was no timing: its outcome and detail

  size_t measured() const { return latencies_ns.size() + flagged.size(); }
  double MedianNs() const;
  // Standard deviation over mean of the latencies that were not flagged; 0 for fewer than two.
  double VariationCoefficient() const;
  // 0 to 1; 0 when nothing was measured.
  double FlaggedShare() const;
};

// Measures every trial (of one kernel) `times` times.
std::vector<Repeatability> MeasureAgain(const std::vector<v1::Trial>& trials, const BlobSource& blobs, int times,
                                        absl::BitGenRef random, TrialRunner* runner);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_BUILTIN_REPEATABILITY_H_
