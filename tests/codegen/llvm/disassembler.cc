#include "tests/codegen/llvm/disassembler.h"

#include <string>

#include "common/check.h"

namespace tunefleet::codegen {

std::vector<Instruction> Disassemble(const Artifact& artifact, const v1::Target& target) {
  absl::StatusOr<std::vector<Instruction>> code = Disassemble(artifact.code, target.triple());
  TF_CHECK(code.ok(), std::string(code.status().message()));
  return *std::move(code);
}

}  // namespace tunefleet::codegen
