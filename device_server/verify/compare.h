// Judges one output against its reference: an element passes when |value - reference| <= absolute + relative *
// |reference|. NaN passes nothing; equal infinities pass. Pure functions.
#ifndef TUNEFLEET_DEVICE_SERVER_VERIFY_COMPARE_H_
#define TUNEFLEET_DEVICE_SERVER_VERIFY_COMPARE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "proto/measurement.pb.h"

namespace tunefleet::device {

struct Comparison {
  bool pass = true;
  double max_error = 0;        // largest |value - reference|; infinite when some value is no number
  double max_error_ratio = 0;  // the same over the allowed error
  uint64_t first_wrong = 0;    // element index, when it fails
  double value = 0;            // there
  double reference = 0;        // there
};

// `value` and `reference` hold the same number of elements of `check.dtype`, a known type.
Comparison Compare(std::span<const std::byte> value, std::span<const std::byte> reference,
                   const v1::OutputCheck& check);

// What an output holds before the kernel runs: NaN for floating point, an unlikely value for integers.
void Poison(v1::DataType dtype, std::span<std::byte> bytes);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_VERIFY_COMPARE_H_
