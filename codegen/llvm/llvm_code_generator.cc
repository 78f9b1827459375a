#include "codegen/llvm/llvm_code_generator.h"

#include <utility>

#include "codegen/ir/validator.h"
#include "codegen/llvm/linker.h"
#include "codegen/llvm/manifest.h"
#include "codegen/llvm/module_emitter.h"
#include "codegen/llvm/optimizer.h"
#include "codegen/llvm/target_machine.h"
#include "codegen/llvm/tensor_emitter.h"
#include "common/status_macros.h"
#include "llvm/Support/raw_ostream.h"

namespace tunefleet::codegen {
namespace {

struct CompiledModule {
  LoweredNest lowered;
  KernelTarget target;
  std::unique_ptr<llvm::LLVMContext> context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> module;  // in `context`, so destroyed before it
};

absl::StatusOr<LoweredNest> ValidateAndLower(const LoopNest& nest, const LoweringLimits& limits) {
  TF_RETURN_IF_ERROR(Validate(nest));
  return Lower(nest, limits);
}

absl::StatusOr<CompiledModule> CompileModule(LoweredNest lowered, const v1::Target& target, PassPipeline pipeline) {
  CompiledModule compiled;
  compiled.lowered = std::move(lowered);
  TF_RETURN_IF_ERROR(CheckIntrinsics(compiled.lowered.nest, target));
  TF_ASSIGN_OR_RETURN(compiled.target, MakeKernelTarget(target, pipeline == PassPipeline::kO3));
  TF_ASSIGN_OR_RETURN(compiled.module, EmitModule(compiled.lowered, compiled.target, *compiled.context));
  TF_RETURN_IF_ERROR(Optimize(pipeline, *compiled.target.machine, *compiled.module));
  return compiled;
}

}  // namespace

std::string PassPipelineName(PassPipeline pipeline) { return pipeline == PassPipeline::kO3 ? "O3" : "light"; }

absl::StatusOr<Artifact> LlvmCodeGenerator::Generate(const LoopNest& nest, const v1::Target& target) {
  TF_ASSIGN_OR_RETURN(LoweredNest lowered, ValidateAndLower(nest, limits_));
  return GenerateLowered(std::move(lowered), target);
}

absl::StatusOr<Artifact> LlvmCodeGenerator::GenerateLowered(LoweredNest lowered, const v1::Target& target) const {
  TF_ASSIGN_OR_RETURN(const CompiledModule compiled, CompileModule(std::move(lowered), target, pipeline_));
  TF_ASSIGN_OR_RETURN(const auto object, EmitObject(*compiled.target.machine, *compiled.module));
  Artifact artifact;
  TF_ASSIGN_OR_RETURN(artifact.code, LinkSharedObject({object.data(), object.size()}));
  artifact.manifest = MakeManifest(compiled.lowered, pipeline_, artifact.code);
  return artifact;
}

absl::StatusOr<std::string> LlvmCodeGenerator::PrintIr(const LoopNest& nest, const v1::Target& target) const {
  TF_ASSIGN_OR_RETURN(LoweredNest lowered, ValidateAndLower(nest, limits_));
  TF_ASSIGN_OR_RETURN(const CompiledModule compiled, CompileModule(std::move(lowered), target, pipeline_));
  std::string text;
  llvm::raw_string_ostream stream(text);
  compiled.module->print(stream, nullptr);
  return text;
}

}  // namespace tunefleet::codegen
