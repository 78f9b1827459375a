#include "codegen/llvm/optimizer.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/CodeGen/MachineModuleInfo.h"
#include "llvm/CodeGen/Passes.h"
#include "llvm/CodeGen/TargetPassConfig.h"
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
  // The steps of TargetMachine::addPassesToEmitFile, which has no way of leaving a pass out.
  auto& target = static_cast<llvm::LLVMTargetMachine&>(machine);
  llvm::legacy::PassManager passes;
  passes.add(new llvm::TargetLibraryInfoWrapperPass(KernelLibrary(module)));
  llvm::TargetPassConfig* config = target.createPassConfig(passes);
  config->setDisableVerify(true);  // the module was verified when it was emitted
  passes.add(config);
  auto* functions = new llvm::MachineModuleInfoWrapperPass(&target);
  passes.add(functions);
  // The order of a register tile is the schedule's: every load right before its first use. On some cpus LLVM's
  // scheduler gathers the loads in front, which spills accumulators; cores that run out of order gain nothing from it.
  if (machine.getTargetTriple().isX86()) config->disablePass(&llvm::MachineSchedulerID);
  bool failed = config->addISelPasses();
  if (!failed) {
    config->addMachinePasses();
    config->setInitialized();
    failed = target.addAsmPrinter(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile,
                                  functions->getMMI().getContext());
  }
  if (failed) return absl::InternalError(absl::StrCat("LLVM emits no object files for ", module.getTargetTriple()));
  passes.add(llvm::createFreeMachineFunctionPass());
  passes.run(module);
  return object;
}

}  // namespace tunefleet::codegen
