// The meaning of a loop nest: a slow, strict interpreter, for tests only.
//
// It runs `prepare` and then `run` of a fresh, scheduled or lowered nest, one block instance at a time, and trusts
// nothing: every index is held against its buffer, every access against the block's regions (when it declares any),
// every iterator against its domain. Elements of temporaries, outputs and prepared buffers are undefined until written,
// those of a temporary again at each entry of the innermost statement that contains all its uses; reading an undefined
// element is an error. So are two tasks of the outermost parallel loop that touch the same element, one of them
// writing, and an output element that is never written. Arithmetic rounds to the type after every operation.
#ifndef TUNEFLEET_TESTS_CODEGEN_INTERPRETER_INTERPRETER_H_
#define TUNEFLEET_TESTS_CODEGEN_INTERPRETER_INTERPRETER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Values by buffer name, row-major over the shape, without row padding. Doubles hold every element type exactly.
using Buffers = std::map<std::string, std::vector<double>>;

enum class IterationOrder { kForward, kReverse, kShuffled };

struct InterpretOptions {
  // Order of the iterations of every loop that is not serial or unrolled: any order must give the same values.
  IterationOrder concurrent_order = IterationOrder::kForward;
  uint64_t seed = 1;  // of the shuffling
};

// The output buffers. `inputs` holds the input and constant buffers. Errors: INVALID_ARGUMENT (an input is missing or
// of the wrong size, a variable is out of scope), FAILED_PRECONDITION (the program broke a rule; names the block and
// its iterators).
absl::StatusOr<Buffers> Interpret(const LoopNest& nest, const Buffers& inputs, const InterpretOptions& options = {});

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_INTERPRETER_INTERPRETER_H_
