// Decides which kernel of a trial is run next and how often: fed with samples, asked for the next step. No I/O, no
// clock.
//
// One kernel: its SamplingPolicy alone. Several: they are sampled round by round, so that they see the same weather, in
// random order and, in the next round, in the reverse of it (A B, then B A). Each is compared with the first; a round
// gives one pair. Pairs are taken until every verdict stands, or max_samples or the budget (run_budget for each kernel)
// is spent. A censored kernel is not compared.
//
// Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_TRIAL_POLICY_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_TRIAL_POLICY_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/time/time.h"
#include "device_server/measure/paired_comparison.h"
#include "device_server/measure/sampling_policy.h"
#include "proto/measurement.pb.h"

namespace tunefleet::device {

class TrialPolicy {
 public:
  struct Step {
    size_t kernel = 0;
    uint32_t runs = 1;
    absl::Duration expected;  // an estimate of the sample's time; zero when there is none
    bool warm_up = false;     // one untimed run first: the caches hold what other kernels left
  };

  TrialPolicy(const v1::MeasureOptions& options_with_defaults, size_t kernels, uint64_t sentinel_baseline_ns = 0,
              ReadingBand usual_units = {});

  // The sample to take next; nullopt when enough is known. It must be told to Add before the next call.
  std::optional<Step> Next(absl::BitGenRef random);
  void Add(const Step& step, const v1::Sample& sample);

  // The kernel was cut short.
  bool censored(size_t kernel) const { return contestants_[kernel].sampling.censored(); }

  // SamplingPolicy::Report, and the comparison with the first kernel.
  void Report(size_t kernel, v1::KernelResult* result) const;

 private:
  struct Contestant {
    Contestant(const v1::MeasureOptions& options, uint64_t sentinel_baseline_ns, ReadingBand usual_units)
        : sampling(options, sentinel_baseline_ns, usual_units), comparison(options.equivalence_margin()) {}
    SamplingPolicy sampling;
    PairedComparison comparison;      // with the first
    bool decided = false;             // the comparison needs no more pairs
    std::optional<double> repeat_ns;  // this round's undisturbed repeat
  };

  void BeginRound(absl::BitGenRef random);
  void EndRound();
  bool ComparisonOpen(size_t kernel) const;
  std::optional<uint32_t> RunsWanted(size_t kernel) const;

  const v1::MeasureOptions options_;
  const absl::Duration budget_;
  std::vector<Contestant> contestants_;
  std::vector<size_t> order_;   // of the kernels in the present round
  size_t next_ = 0;             // position in order_
  std::optional<size_t> last_;  // whose sample was the last
  bool reverse_ = false;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_TRIAL_POLICY_H_
