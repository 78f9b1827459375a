// The seeded inputs of a trial. Tuner (for the reference) and agent (for the kernel) make the same bytes from the same
// fill.
//
// Element i of a buffer filled with seed s is a function of (s, i) alone (SplitMix64 of both).
//   seed      uniform in [-1, 1) and a multiple of 2^-23; integer types are uniform in [-8, 8)
//   lattice   a uniform multiple of 2^-fraction_bits with a magnitude in [1/2, 1), of the sign asked for or of either;
//             for integer types its numerator: an integer of exactly fraction_bits bits, of either sign
// Padding lanes are zero.
#ifndef TUNEFLEET_COMMON_FILL_H_
#define TUNEFLEET_COMMON_FILL_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "proto/measurement.pb.h"

namespace tunefleet::common {

// Bytes of one element; 0 for an unknown type.
int64_t DataTypeBytes(v1::DataType dtype);

// True where element `index` lies in the padding of any of the axes.
bool IsPadding(const v1::BufferFill& fill, uint64_t index);

// Whether the type holds the lattice of `fill`; other sources pass. Errors: INVALID_ARGUMENT.
absl::Status CheckLattice(const v1::BufferFill& fill);

// Fills `bytes` as the seed or the lattice of `fill` says. Errors: INVALID_ARGUMENT for another source, an unknown
// dtype, a lattice with more bits than the type holds, a zero stride or block, or a size that is no multiple of the
// element.
absl::Status FillBuffer(const v1::BufferFill& fill, std::span<std::byte> bytes);

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_FILL_H_
