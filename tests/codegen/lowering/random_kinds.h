// Random schedules for random nests, without primitives: splits, loop kinds and scopes.
#ifndef TUNEFLEET_TESTS_CODEGEN_LOWERING_RANDOM_KINDS_H_
#define TUNEFLEET_TESTS_CODEGEN_LOWERING_RANDOM_KINDS_H_

#include "absl/random/bit_gen_ref.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// The loop split into "<loop>.o" and "<loop>.i", with a predicate where the factor does not divide its extent.
LoopNest SplitLoop(const LoopNest& nest, absl::string_view loop, int64_t factor);
LoopNest WithKind(const LoopNest& nest, absl::string_view loop, LoopKind kind);

// Splits some loops by random factors; unrolls some, makes some innermost ones vectorized and some spatial ones
// parallel; moves some temporaries to local memory. A vectorized loop may be one that lowering refuses.
LoopNest WithRandomSchedule(LoopNest nest, absl::BitGenRef random);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_LOWERING_RANDOM_KINDS_H_
