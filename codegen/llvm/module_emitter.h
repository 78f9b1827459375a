// The LLVM module of a lowered nest: tf_run, tf_prepare where something is packed, and one internal function per
// parallel loop, as common/kernel_abi.h has them.
#ifndef TUNEFLEET_CODEGEN_LLVM_MODULE_EMITTER_H_
#define TUNEFLEET_CODEGEN_LLVM_MODULE_EMITTER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "codegen/llvm/target_machine.h"
#include "codegen/lowering/lower.h"
#include "llvm/IR/Module.h"

namespace tunefleet::codegen {

// Errors: INTERNAL (LLVM's verifier found fault).
absl::StatusOr<std::unique_ptr<llvm::Module>> EmitModule(const LoweredNest& lowered, const KernelTarget& target,
                                                         llvm::LLVMContext& context);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_MODULE_EMITTER_H_
