// Random primitive calls, plausible enough that many are legal.
#ifndef TUNEFLEET_TESTS_CODEGEN_PRIMITIVES_RANDOM_CALLS_H_
#define TUNEFLEET_TESTS_CODEGEN_PRIMITIVES_RANDOM_CALLS_H_

#include <string>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "codegen/ir/loop_nest.h"
#include "proto/schedule.pb.h"

namespace tunefleet::codegen {

// Every primitive's name.
const std::vector<std::string>& PrimitiveNames();

// A call of the primitive with arguments drawn from what the nest has. `number` makes new names new.
v1::PrimitiveCall RandomCall(const LoopNest& nest, const std::string& primitive, int number, absl::BitGenRef random);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_PRIMITIVES_RANDOM_CALLS_H_
