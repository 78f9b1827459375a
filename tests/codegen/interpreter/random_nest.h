// Random small programs, for holding rewrites of loop nests against the interpreter.
#ifndef TUNEFLEET_TESTS_CODEGEN_INTERPRETER_RANDOM_NEST_H_
#define TUNEFLEET_TESTS_CODEGEN_INTERPRETER_RANDOM_NEST_H_

#include "absl/random/bit_gen_ref.h"
#include "codegen/ir/loop_nest.h"
#include "tests/codegen/interpreter/interpreter.h"

namespace tunefleet::codegen {

// A valid fresh nest of one to three blocks "b0", "b1", ... in a chain, each one of: elementwise (also with a bias, a
// select, an earlier tensor of the same shape), transposition, a convolution or max pooling along one axis or two with
// stride, dilation and padding under a guard, a matrix multiplication, a reduction of the last axis. The loops of a
// block are named "<block>.<iterator>" and have extents from 1 to 7. Tensors are "in", then "t0", "t1" ... between the
// blocks, "out"; weights are constants "w<block>". Every value is an integer below 2^24, so that float32 is exact in
// any order.
LoopNest RandomNest(absl::BitGenRef random);

// Small integers for every input and constant.
Buffers RandomInputs(const LoopNest& nest, absl::BitGenRef random);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_INTERPRETER_RANDOM_NEST_H_
