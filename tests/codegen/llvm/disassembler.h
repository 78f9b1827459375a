// The machine code of an artifact as text.
#ifndef TUNEFLEET_TESTS_CODEGEN_LLVM_DISASSEMBLER_H_
#define TUNEFLEET_TESTS_CODEGEN_LLVM_DISASSEMBLER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/code_generator.h"

namespace tunefleet::codegen {

struct Instruction {
  uint64_t address;
  std::string text;            // mnemonic and operands, AT&T syntax on x86
  int64_t branch_target = -1;  // of a direct branch
};

// The instructions of all executable sections, in order. Ends the process when there is none or one is unknown.
std::vector<Instruction> Disassemble(const Artifact& artifact, const v1::Target& target);

// The instructions of the innermost loops: from the target of a backward branch to it, with no other such pair inside.
std::vector<std::vector<Instruction>> InnermostLoops(const std::vector<Instruction>& code);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_LLVM_DISASSEMBLER_H_
