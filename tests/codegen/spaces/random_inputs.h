// Small random integers for the tensors that a kernel reads.
#ifndef TUNEFLEET_TESTS_CODEGEN_SPACES_RANDOM_INPUTS_H_
#define TUNEFLEET_TESTS_CODEGEN_SPACES_RANDOM_INPUTS_H_

#include <random>

#include "proto/workload.pb.h"
#include "tests/codegen/interpreter/interpreter.h"

namespace tunefleet::codegen {

// Inputs and constants: -3 to 3, so that fp32 is exact in any order; int8 takes its whole range. Padding lanes of
// blocked layouts are zero.
Buffers RandomIntegers(const v1::Workload& workload, std::mt19937_64& random);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_SPACES_RANDOM_INPUTS_H_
