#include "tests/codegen/llvm/disassembler.h"

#include <string>

#include "absl/strings/match.h"
#include "common/check.h"

namespace tunefleet::codegen {

std::vector<Instruction> Disassemble(const Artifact& artifact, const v1::Target& target) {
  absl::StatusOr<std::vector<Instruction>> code = Disassemble(artifact.code, target.triple());
  TF_CHECK(code.ok(), std::string(code.status().message()));
  return *std::move(code);
}

bool NeedsAvx512(const Instruction& instruction) {
  constexpr char kBefore[] = "\x26\x2e\x36\x3e\x64\x65\x67";  // segments, the size of addresses
  constexpr char kEvex = 0x62;
  const size_t opcode = instruction.bytes.find_first_not_of(kBefore);
  return (opcode != std::string::npos && instruction.bytes[opcode] == kEvex) ||
         absl::StrContains(instruction.text, "%k");
}

}  // namespace tunefleet::codegen
