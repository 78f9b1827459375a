// Decides how often one kernel is run: fed with samples, asked for the next one. No I/O, no clock.
//
//   screening   a sample of one run gives the first estimate. Above incumbent * abort_ratio it is repeated once, and if
//               both are above, the kernel is cut short (censored).
//   repeats     samples of as many runs as last min_sample_time, at least min_samples, until the 95% confidence
//   interval
//               of the median is tight, or max_samples or run_budget is spent (a contender gets three samples first).
//               A kernel whose whole interval lies above the incumbent is no contender: a wider interval is tight
//               enough.
//
// The latency is the median over the repeats of time per run; of the screening samples when there are no repeats.
// Repeats during which another process took the core, or the core was not in its usual state, count only while there
// are not three others, for which the policy waits. The interval comes from order statistics (statistics.h).
//
// A processor changes its clock from millisecond to millisecond. Where the sentinel's baseline is known, each time is
// multiplied by baseline / its sentinel's reading, unless the kernel's times do not follow the clock: then the spread
// of the corrected times is the larger one, and the raw ones are taken.
//
// Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_SAMPLING_POLICY_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_SAMPLING_POLICY_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "device_server/measure/statistics.h"
#include "device_server/measure/usual_reading.h"
#include "proto/measurement.pb.h"

namespace tunefleet::device {

// `options` with every 0 or unset field given the agent's default. What results report.
v1::MeasureOptions WithDefaults(v1::MeasureOptions options);

// Nanoseconds of one run.
double TimePerRun(const v1::Sample& sample);

class SamplingPolicy {
 public:
  // `sentinel_baseline_ns` 0: unknown, nothing is corrected. `usual_units`: of Sample.units_ns.
  explicit SamplingPolicy(const v1::MeasureOptions& options_with_defaults, uint64_t sentinel_baseline_ns = 0,
                          ReadingBand usual_units = {});

  // Runs in the next sample; nullopt when enough is known.
  std::optional<uint32_t> NextRuns() const;

  // Runs in a sample beyond what NextRuns asks for (a comparison's). Once `screened` and not censored.
  uint32_t RunsOfARepeat() const;

  // Tells what came of a sample: one that was asked for, or one of RunsOfARepeat.
  void Add(const v1::Sample& sample);
  // Counts towards the budget without being a sample.
  void Spend(absl::Duration time) { spent_ += time; }

  // Sets samples, latency_ns, clock_correction, censored, quality and quality_reasons.
  void Report(v1::KernelResult* result) const;

  // The estimate of one run so far; zero before the first sample.
  absl::Duration Estimate() const;

  bool screened() const { return phase_ == Phase::kRepeat || phase_ == Phase::kDone; }
  bool censored() const { return censored_; }
  size_t repeats() const { return samples_.size() - screening_samples_; }
  absl::Duration spent() const { return spent_; }

 private:
  enum class Phase { kScreen, kRescreen, kRepeat, kDone };

  void FinishScreening();
  bool Enough() const;
  bool IsContender(const Interval& interval) const;
  bool IsClean(const v1::Sample& sample) const;
  size_t CleanRepeats() const;
  std::vector<double> Times() const;
  std::vector<double> RawTimes() const;
  std::vector<v1::Sample> Counting() const;

  const v1::MeasureOptions options_;
  const double sentinel_baseline_ns_;
  const ReadingBand usual_units_;
  const absl::Duration min_sample_time_;
  const absl::Duration run_budget_;
  Phase phase_ = Phase::kScreen;
  std::vector<v1::Sample> samples_;
  size_t screening_samples_ = 0;
  double best_screening_ns_ = 0;
  absl::Duration spent_;
  bool censored_ = false;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_SAMPLING_POLICY_H_
