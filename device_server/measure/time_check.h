// Whether the times that a worker reports of one kernel can be true: held against what the supervisor's own clock saw
// of the same commands. Pure: fed with both, no clock.
//
// A kernel shares its process with the clock that times it, so a small lie cannot be told from the machine's noise.
// What this finds is the large one: a worker that works for long and reports little, and a kernel that does its work
// only where somebody will look at the outputs. Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_TIME_CHECK_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_TIME_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace tunefleet::device {

class TimeCheck {
 public:
  // `touched_bytes`: all that a run can read or write.
  explicit TimeCheck(uint64_t touched_bytes) : touched_bytes_(touched_bytes) {}

  // A timed sample. `seen`: how long its answer took. `flushed`: caches were emptied before each run, untimed.
  void AddSample(uint32_t runs, absl::Duration reported, absl::Duration seen, bool flushed);
  // One run, not timed by the worker, on poisoned outputs.
  void AddJudgedRun(absl::Duration seen);

  // The answer to a command that takes next to no time: what the machine itself makes an exchange wait.
  void AddIdleExchange(absl::Duration seen);

  // What was seen so far speaks against the kernel; an idle exchange and a judged run more may show that it was the
  // machine.
  bool WantsEvidence() const;

  // What cannot be true, for people; empty: nothing, or evidence is still wanted.
  std::string Doubt() const;

 private:
  bool SamplesAreLate() const;
  bool JudgedRunsAreSlow() const;

  const uint64_t touched_bytes_;
  std::vector<absl::Duration> reported_runs_;  // each sample's time for one run
  size_t late_samples_ = 0;
  std::vector<absl::Duration> idle_exchanges_;
  size_t judged_runs_ = 0;
  absl::Duration fastest_judged_ = absl::InfiniteDuration();
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_TIME_CHECK_H_
