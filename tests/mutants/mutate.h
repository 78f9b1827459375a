// Wrong programs out of right ones: small faults as a broken schedule, lowering pass or code generator would make them.
//
// A fault is put into a lowered nest (codegen/lowering/lower.h): a loop one iteration short, an init left out, two
// operands exchanged, one instance of one block skipped, ... The mutant is well-formed, but nothing says that it is
// wrong: some faults change nothing, which only running it can tell.
#ifndef TUNEFLEET_TESTS_MUTANTS_MUTATE_H_
#define TUNEFLEET_TESTS_MUTANTS_MUTATE_H_

#include <optional>
#include <string>

#include "absl/random/bit_gen_ref.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Faults are numbered from 0.
int NumFaults();
const char* FaultName(int fault);

struct Mutant {
  LoopNest nest;
  std::string place;  // what was changed, for people
};

// `nest` with this fault at a random place of `prepare` or `run`. Nullopt when there is no such place.
std::optional<Mutant> Mutate(const LoopNest& nest, int fault, absl::BitGenRef random);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_MUTANTS_MUTATE_H_
