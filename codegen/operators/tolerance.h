// How far a correct implementation may be from the reference.
//
// Every implementation is held to a bound of its own on the rounding errors, in terms of the magnitude L of an output,
// the largest |g| |d| over all filters g and windows of inputs d that meet in an output (Euclidean norms), and of the
// unit roundoff u.
//
// direct, and whatever else sums up the products themselves: K products, in any order: K u / (1 - K u) L (see
// reference.h).
//
// winograd (operators/winograd.h): the worst case grows with the number of roundings times the norms of the transforms,
// which for large tiles is as large as the outputs themselves and would check nothing. So roundings are taken as what
// they are like, independent random variables with mean zero and at most u in size (Higham and Mary, A new approach to
// probabilistic rounding error analysis, SIAM J. Sci. Comput. 41, 2019). To first order the error of an output is the
// sum of r_k p_k over all roundings r_k, where p_k is how much of the output passes through the rounded number. By
// Azuma and Hoeffding that is at most t u sqrt(sum of p_k^2), but for a probability of 2 exp(-t^2 / 2); t = 7 makes
// that 5e-11. With the norms of rows
//
//   w(y, xi) = |A^T[y, xi]| |G[xi, :]| |B^T[xi, :]|,   S1 = max over y of sum over xi of w,   S2^2 = ... of w^2
//
// and l, the norm of a window times that of the a x a inputs of a tile (these lie in W^2 windows, so that l <= W L,
// with W = ceil(a / 3) for stride 1 and m for stride 2), Cauchy and Schwarz give for each number of the program a bound
// on p_k. Numbers that a transform's first step makes reach an output through a whole row of the second, those before
// the sum over ci through one product only. Summed over the channels they contribute
//
//   filter (3 taps), each step a product and 2 sums:     3 S1^2 S2^2 + 3 S2^4
//   inputs, each step a product and a - 1 sums:          a S1^2 S2^2 + a S2^4
//   sum over ci, a product and ci - 1 sums:              ci S2^4
//   output, each step a product and a - 1 sums:          a S1^2 S2^2 + a S1^4
//
// times l^2. The elements of G that are no binary fractions are rounded once for all, which chance does not make
// smaller: 2 u S1^2 l more. Terms of second order are less than a hundredth of this.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_TOLERANCE_H_
#define TUNEFLEET_CODEGEN_OPERATORS_TOLERANCE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/operators/reference.h"
#include "proto/measurement.pb.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

// The reference's checks with the tolerance of the implementation: direct's for whatever else sums up the products
// themselves. Errors: INVALID_ARGUMENT (the implementation does not compute the workload).
absl::StatusOr<std::vector<v1::OutputCheck>> ChecksFor(const v1::Workload& workload, const Reference& reference,
                                                       absl::string_view implementation);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_TOLERANCE_H_
