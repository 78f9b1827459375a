// Follows a kernel of known time (the sentinel) through a session: what it takes when nothing is wrong, and whether the
// machine is still what it was. No I/O, no clock.
//
//   baseline    the median of the session's first readings
//   speed       baseline over the median of a trial's readings: 0.95 when everything takes 5% longer
//   flagged     speed is more than 20% from 1: no correction is to be trusted
//
// Smaller changes are corrected sample by sample (sampling_policy.h). Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_DRIFT_TRACKER_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_DRIFT_TRACKER_H_

#include <cstdint>
#include <vector>

namespace tunefleet::device {

class DriftTracker {
 public:
  struct Judgement {
    double speed = 1;
    bool flagged = false;
  };

  // A reading when no kernel is measured; the first few make the baseline.
  void Learn(uint64_t reading_ns);

  // 0 before the first reading.
  uint64_t baseline_ns() const;

  // All the readings of a trial. Without any nothing is said against it.
  Judgement Judge(std::vector<uint64_t> readings_ns) const;

 private:
  std::vector<uint64_t> first_;  // readings that the baseline is made of
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_DRIFT_TRACKER_H_
