#include "codegen/llvm/optimizer.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"

namespace tunefleet::codegen {
namespace {

// instcombine without <no-verify-fixpoint> ends the process when one sweep is not enough.
constexpr char kLightPasses[] =
    "function(sroa,early-cse<memssa>,loop-mssa(licm),instcombine<no-verify-fixpoint>,early-cse)";

// A kernel has no library: only what a code generator may call for copies anyway.
llvm::TargetLibraryInfoImpl KernelLibrary(const llvm::Module& module) {
  llvm::TargetLibraryInfoImpl library{llvm::Triple(module.getTargetTriple())};
  library.disableAllFunctions();
  for (const llvm::LibFunc function : {llvm::LibFunc_memcpy, llvm::LibFunc_memmove, llvm::LibFunc_memset}) {
    library.setAvailable(function);
  }
  return library;
}

}  // namespace

absl::Status Optimize(PassPipeline pipeline, llvm::TargetMachine& machine, llvm::Module& module) {
  llvm::PipelineTuningOptions tuning;  // the schedule vectorizes and unrolls, LLVM does not
  tuning.LoopInterleaving = false;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(KernelLibrary(module)); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);

  llvm::ModulePassManager passes;
  if (pipeline == PassPipeline::kO3) {
    passes = builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3);
  } else if (llvm::Error error = builder.parsePassPipeline(passes, kLightPasses)) {
    return absl::InternalError(absl::StrCat("LLVM refuses the pass list: ", llvm::toString(std::move(error))));
  }
  passes.run(module, modules);
  return absl::OkStatus();
}

absl::StatusOr<llvm::SmallVector<char, 0>> EmitObject(llvm::TargetMachine& machine, llvm::Module& module) {
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  passes.add(new llvm::TargetLibraryInfoWrapperPass(KernelLibrary(module)));
  if (machine.addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile)) {
    return absl::InternalError(absl::StrCat("LLVM emits no object files for ", module.getTargetTriple()));
  }
  passes.run(module);
  return object;
}

}  // namespace tunefleet::codegen
