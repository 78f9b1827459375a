// Runs a compiled kernel on the interpreter's buffers, between guard pages.
#ifndef TUNEFLEET_TESTS_CODEGEN_LLVM_RUN_KERNEL_H_
#define TUNEFLEET_TESTS_CODEGEN_LLVM_RUN_KERNEL_H_

#include <string>

#include "codegen/code_generator.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/codegen/llvm/loaded_kernel.h"

namespace tunefleet::codegen {

// The outputs, as Interpret gives them. Outputs, prepared buffers and workspace are poisoned first. `threads` of 0: no
// runtime; otherwise tasks run on so many threads, in no particular order. `workspace_after` receives the workspace's
// bytes.
Buffers RunKernel(const LoopNest& nest, const Artifact& artifact, const Buffers& inputs, int threads,
                  std::string* workspace_after = nullptr);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_LLVM_RUN_KERNEL_H_
