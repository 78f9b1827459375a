// A v1::Target as LLVM sees it. Nothing is asked of the machine that this runs on.
#ifndef TUNEFLEET_CODEGEN_LLVM_TARGET_MACHINE_H_
#define TUNEFLEET_CODEGEN_LLVM_TARGET_MACHINE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "codegen/llvm/register_tile.h"
#include "llvm/Target/TargetMachine.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

struct KernelTarget {
  std::unique_ptr<llvm::TargetMachine> machine;
  std::string cpu;
  std::string features;  // "+avx2,-avx512f"
  int vector_bits = 0;   // preferred on x86; 0: LLVM's default
  VectorRegisters registers;
};

// `aggressive`: the code generator's slowest level. Where Target.features is set it is the whole truth about vector
// extensions: what the cpu's name implies beyond it is switched off, so that a device that lacks an extension never
// gets its instructions. Names that LLVM does not know are left out.
// Errors: NOT_FOUND (unknown triple or cpu).
absl::StatusOr<KernelTarget> MakeKernelTarget(const v1::Target& target, bool aggressive);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_TARGET_MACHINE_H_
