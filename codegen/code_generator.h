// CodeGenerator: the seam between loop nests and machine code. Implementations: codegen/llvm.
#ifndef TUNEFLEET_CODEGEN_CODE_GENERATOR_H_
#define TUNEFLEET_CODEGEN_CODE_GENERATOR_H_

#include <string>

#include "absl/status/statusor.h"
#include "codegen/ir/loop_nest.h"
#include "proto/artifact.pb.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

struct Artifact {
  v1::ArtifactManifest manifest;
  std::string code;
};

class CodeGenerator {
 public:
  virtual ~CodeGenerator() = default;
  // Lowers and compiles a scheduled nest for the target. Equal arguments give equal bytes. Thread-compatible.
  // Errors: INVALID_ARGUMENT (malformed nest), FAILED_PRECONDITION (cannot be lowered), RESOURCE_EXHAUSTED (over a
  // limit), NOT_FOUND (unknown triple or cpu), INTERNAL (the compiler failed).
  virtual absl::StatusOr<Artifact> Generate(const LoopNest& nest, const v1::Target& target) = 0;
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_CODE_GENERATOR_H_
