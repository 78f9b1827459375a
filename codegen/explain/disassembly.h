// The machine code of an artifact: its instructions and what each is for. Nothing is executed.
#ifndef TUNEFLEET_CODEGEN_EXPLAIN_DISASSEMBLY_H_
#define TUNEFLEET_CODEGEN_EXPLAIN_DISASSEMBLY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tunefleet::codegen {

enum class InstructionKind {
  kMultiplyAdd,  // fused, vector or scalar
  kArithmetic,   // other floating-point or vector arithmetic
  kLoad,         // to a register, broadcasts too
  kPrefetch,     // to a cache
  kStore,
  kShuffle,  // between vector registers
  kInteger,  // addresses, counters
  kBranch,   // calls and returns too
};

struct Instruction {
  uint64_t address = 0;
  std::string bytes;           // as encoded
  std::string text;            // mnemonic and operands, AT&T syntax on x86
  int64_t branch_target = -1;  // of a direct branch
  InstructionKind kind = InstructionKind::kInteger;
  bool falls_through = true;  // to the next instruction, at least where a condition says so
  bool reads_memory = false;  // also as an operand of arithmetic
  bool writes_memory = false;
  bool on_stack = false;  // the memory is the stack: a spilled value, or its reload
};

// The instructions of all executable sections of a shared object (`code`), in order. Any extension of the
// architecture is understood, whatever the target has. Errors: INVALID_ARGUMENT (no object file, no code, bytes that
// are no instruction), NOT_FOUND (an architecture that this build does not know).
absl::StatusOr<std::vector<Instruction>> Disassemble(absl::string_view code, const std::string& triple);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_EXPLAIN_DISASSEMBLY_H_
