// Follows a kernel of known time (the sentinel) through a session and says how the machine's speed has changed since it
// began: corrected while it is small and steady, flagged when not. No I/O, no clock.
//
//   baseline    the median of the session's first readings
//   speed       baseline over the trial's reading: 0.95 when everything takes 5% longer
//   steady      the readings before and after the trial agree
//
//   steady, speed within 1% of 1           as ever: correction 1
//   steady, speed within 10% of 1          correction = speed: a latency times it is what it would be at the baseline
//   else                                   flagged, correction 1
//
// The sentinel's time goes with the clock alone, and so is right for kernels whose time does. Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_DRIFT_TRACKER_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_DRIFT_TRACKER_H_

#include <cstdint>
#include <vector>

#include "proto/measurement.pb.h"

namespace tunefleet::device {

class DriftTracker {
 public:
  struct Judgement {
    v1::Sentinel sentinel;
    bool flagged = false;
  };

  // A reading outside of trials (when the agent starts): makes the baseline sooner.
  void Learn(uint64_t reading_ns);

  // The readings around a trial, positive; `after_ns` is 0 when the trial ended before its second one.
  Judgement Judge(uint64_t before_ns, uint64_t after_ns);

 private:
  uint64_t Baseline() const;

  std::vector<uint64_t> first_;  // readings that the baseline is made of
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_DRIFT_TRACKER_H_
