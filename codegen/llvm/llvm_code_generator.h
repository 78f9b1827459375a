// LlvmCodeGenerator: loop nests to ELF shared objects for CPUs, through LLVM IR and LLD, all in process.
//
//   LoopNest --Lower--> LoweredNest --EmitModule--> LLVM IR --Optimize, EmitObject--> object --LinkSharedObject--> code
//
// No LLVM type appears here: only the .cc files of this folder see LLVM's headers.
#ifndef TUNEFLEET_CODEGEN_LLVM_LLVM_CODE_GENERATOR_H_
#define TUNEFLEET_CODEGEN_LLVM_LLVM_CODE_GENERATOR_H_

#include <string>

#include "codegen/code_generator.h"
#include "codegen/lowering/lower.h"

namespace tunefleet::codegen {

enum class PassPipeline {
  kLight,  // five scalar passes, default code generation: the same kernels in a quarter of the time
  kO3,     // LLVM's O3 without vectorizers and unroller, aggressive code generation
};

// As it stands in ArtifactManifest.pass_pipeline: "light" or "O3".
std::string PassPipelineName(PassPipeline pipeline);

// Thread-compatible. Generators in several threads may work at once; their links take turns.
class LlvmCodeGenerator : public CodeGenerator {
 public:
  explicit LlvmCodeGenerator(PassPipeline pipeline = PassPipeline::kLight, const LoweringLimits& limits = {})
      : pipeline_(pipeline), limits_(limits) {}

  absl::StatusOr<Artifact> Generate(const LoopNest& nest, const v1::Target& target) override;

  // Compiles a nest that is lowered already and keeps what lower.h promises. Errors: as Generate's from lowering on.
  absl::StatusOr<Artifact> GenerateLowered(LoweredNest lowered, const v1::Target& target) const;

  // The LLVM IR after the passes, for people and tests.
  absl::StatusOr<std::string> PrintIr(const LoopNest& nest, const v1::Target& target) const;

 private:
  PassPipeline pipeline_;
  LoweringLimits limits_;
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_LLVM_CODE_GENERATOR_H_
