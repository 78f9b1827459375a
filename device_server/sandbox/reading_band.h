// Which readings of the units (worker/sentinel.h) are usual: a plain struct, for it goes over the worker's socket.
#ifndef TUNEFLEET_DEVICE_SERVER_SANDBOX_READING_BAND_H_
#define TUNEFLEET_DEVICE_SERVER_SANDBOX_READING_BAND_H_

#include <cstdint>

namespace tunefleet::device {

// Readings from low to high; unbounded where nothing is known.
struct ReadingBand {
  uint64_t low_ns = 0;
  uint64_t high_ns = ~uint64_t{0};
  // A reading of 0 is none, and in every band.
  bool Contains(uint64_t reading_ns) const {
    return reading_ns == 0 || (reading_ns >= low_ns && reading_ns <= high_ns);
  }
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_SANDBOX_READING_BAND_H_
