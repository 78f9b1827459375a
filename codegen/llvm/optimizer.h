// LLVM's passes over a module, and its code generator.
#ifndef TUNEFLEET_CODEGEN_LLVM_OPTIMIZER_H_
#define TUNEFLEET_CODEGEN_LLVM_OPTIMIZER_H_

#include "absl/status/statusor.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace tunefleet::codegen {

// Errors: INTERNAL.
absl::Status Optimize(PassPipeline pipeline, llvm::TargetMachine& machine, llvm::Module& module);

// A relocatable ELF object. Errors: INTERNAL.
absl::StatusOr<llvm::SmallVector<char, 0>> EmitObject(llvm::TargetMachine& machine, llvm::Module& module);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_OPTIMIZER_H_
