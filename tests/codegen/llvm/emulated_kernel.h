// Runs kernels for AArch64 on this machine, under qemu-aarch64. Needs that and a cross compiler
// (deploy/install-deps.sh --cross=arm64).
#ifndef TUNEFLEET_TESTS_CODEGEN_LLVM_EMULATED_KERNEL_H_
#define TUNEFLEET_TESTS_CODEGEN_LLVM_EMULATED_KERNEL_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "codegen/code_generator.h"
#include "codegen/ir/loop_nest.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::codegen {

class EmulatedMachine {
 public:
  // Builds the program that loads kernels (tests/bench/emulated/run_kernel.c). Errors: NOT_FOUND (a tool is missing).
  static absl::StatusOr<std::unique_ptr<EmulatedMachine>> Make();

  // The outputs, as Interpret gives them; without threads. Errors: INTERNAL (the kernel failed).
  absl::StatusOr<Buffers> Run(const LoopNest& nest, const Artifact& artifact, const Buffers& inputs) const;

 private:
  EmulatedMachine() = default;

  TempDir folder_;
  std::string libraries_;  // where the C library for AArch64 is
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_LLVM_EMULATED_KERNEL_H_
