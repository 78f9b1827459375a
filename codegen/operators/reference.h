// What a workload's outputs must be: naive loops with fp64 accumulation, independent of loop nests and code generators.
// Sums of int8 products are far below 2^53: fp64 holds them exactly.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_REFERENCE_H_
#define TUNEFLEET_CODEGEN_OPERATORS_REFERENCE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/measurement.pb.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

constexpr double kUnitRoundoff = 0x1p-24;  // of fp32

// What relu cuts off does not show. So for a workload with relu all lattice inputs are positive, which leaves it
// nothing to cut off, and there is a second reference, with the first tensor negative, where it has much to cut off.
struct Reference {
  std::vector<v1::BufferFill>
      fills;  // one per input and constant tensor, in the order of Workload.tensors; `buffer` is the tensor's index
  std::vector<std::string> outputs;     // the bytes of each output tensor in its layout; none: computed elsewhere
  std::vector<v1::OutputCheck> checks;  // one per output; `buffer` is the tensor's index; tolerance of "direct"
                                        // (tolerance.h has others), digest of `outputs` set
  std::vector<double> magnitudes;  // per output: an upper bound of sum |a_i b_i| over every element (Cauchy-Schwarz),
                                   // and of its bias
  std::vector<v1::BufferFill> second_fills;  // of the first tensor, where the workload has a relu
  std::vector<std::string> second_outputs;   // of those; the checks have their digests
};

enum class InputValues {
  kLattice,  // a few bits each, whose products add up exactly
  kUniform,  // over [-1, 1), with all their bits; integers over [-8, 8)
};

// Runs the workload on random inputs (seed + tensor index), by default from a lattice (LatticeFill in
// proto/measurement.proto): multiples of 2^-p from 1/2 to 1, of either sign. K products of them, and a bias, add up to
// a multiple of 2^-2p under K + 1, which fp32 holds exactly while (K + 1) 2^2p <= 2^24. The reference takes the largest
// such p, up to 8. So an implementation that sums up the products themselves gives the very same values whatever its
// order of summation, with or without fused operations, and the tolerance is half a step of 2^-2p: a product that is
// left out or added twice shows in its output, however long the reduction.
//
// Integers of int8 workloads have 7 bits, those of a bias 20: no product is zero, nothing overflows, and the output is
// to be equal.
//
// Where not even p = 1 will do, and for uniform inputs, the tolerance is |error| <= gamma_K * sum |a_i b_i| with
// gamma_K = K u / (1 - K u) (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), where the largest
// sum of the output is bounded by Cauchy-Schwarz. Errors: INVALID_ARGUMENT for a malformed workload or one with
// unresolved layouts.
absl::StatusOr<Reference> ComputeReference(const v1::Workload& workload, uint64_t seed,
                                           InputValues inputs = InputValues::kLattice);

// The same on lattice inputs but for what takes long: no outputs are computed, so the checks have no digests. For
// outputs that a device computes itself.
absl::StatusOr<Reference> ReferenceWithoutOutputs(const v1::Workload& workload, uint64_t seed);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_REFERENCE_H_
