// What rounding makes of Winograd's outputs: the derivation is in tolerance.h.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_WINOGRAD_ERROR_H_
#define TUNEFLEET_CODEGEN_OPERATORS_WINOGRAD_ERROR_H_

#include <cstdint>

#include "codegen/operators/winograd_transform.h"

namespace tunefleet::codegen {

// The bound on the error of an output, in units of u L.
double WinogradError(const WinogradTransform& transform, int64_t input_channels);

// Whether the bound is at most half of what an output of random data is like. A wider one would let kernels pass that
// leave out a part of the channels.
bool WinogradErrorIsBounded(const WinogradTransform& transform, int64_t input_channels);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_WINOGRAD_ERROR_H_
