// The machine code of an artifact, for tests that must have one.
#ifndef TUNEFLEET_TESTS_CODEGEN_LLVM_DISASSEMBLER_H_
#define TUNEFLEET_TESTS_CODEGEN_LLVM_DISASSEMBLER_H_

#include <vector>

#include "codegen/code_generator.h"
#include "codegen/explain/disassembly.h"

namespace tunefleet::codegen {

// The instructions of all executable sections, in order. Ends the process when there is none or one is unknown.
std::vector<Instruction> Disassemble(const Artifact& artifact, const v1::Target& target);

// Whether an x86-64 processor with AVX2 alone lacks the instruction: it is encoded in EVEX, whatever its registers, or
// handles masks.
bool NeedsAvx512(const Instruction& instruction);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_LLVM_DISASSEMBLER_H_
