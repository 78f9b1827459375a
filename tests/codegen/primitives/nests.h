// Nests written by hand, and what tests of primitives say about them.
#ifndef TUNEFLEET_TESTS_CODEGEN_PRIMITIVES_NESTS_H_
#define TUNEFLEET_TESTS_CODEGEN_PRIMITIVES_NESTS_H_

#include <string>
#include <vector>

#include "codegen/ir/loop_nest.h"
#include "codegen/primitives/schedule.h"

namespace tunefleet::codegen {

// relu(a b + bias) in three blocks: "mm" (loops m, n, k; iterators i, j, k) writes t, "bias" (loops bm, bn; iterators
// i, j) writes u, "relu" (loops rm, rn) writes out. Constants b [k, n] and bias [n]; temporaries in the workspace.
LoopNest MatmulNest(int64_t m, int64_t n, int64_t k);

// A window of three over one axis with padding one: block "conv" (loops x, r; guard over both ends) writes out from in
// and w.
LoopNest WindowNest(int64_t extent);

// The nest of an operator in the --op syntax, its epilogue included; layouts as x86_64 with AVX-512 resolves them.
LoopNest OperatorNest(const std::string& op);

// Replays the schedule and expects the same outputs as before, in every order of concurrent loops. Returns the result.
LoopNest ExpectSameValues(const LoopNest& nest, const ScheduleBuilder& schedule);

// Replays the schedule and expects its last call to be refused, with these words in the message.
void ExpectRefused(const LoopNest& nest, const ScheduleBuilder& schedule, absl::StatusCode code,
                   const std::vector<std::string>& words);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_PRIMITIVES_NESTS_H_
