// What a reading usually is in a session: near what a quarter of the last few hundred reach. No I/O, no clock.
//
// The loop that keeps the core's units busy (worker/sentinel.h) has two or three typical times, each of them for some
// milliseconds: a core goes from one state to another when a thread sleeps, waits for itself for long, or shares the core
// with another. None of them is the right one; but kernels that are to be compared must be measured in the same one.
// A quarter: a faster state that is seldom reached is nothing to wait for. Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_USUAL_READING_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_USUAL_READING_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "device_server/sandbox/reading_band.h"

namespace tunefleet::device {

class UsualReading {
 public:
  // 0 is no reading.
  void Learn(uint64_t reading_ns);

  // Unbounded before there are enough readings.
  ReadingBand Band() const;

 private:
  std::vector<uint64_t> last_;  // a ring once it is full
  size_t next_ = 0;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_USUAL_READING_H_
