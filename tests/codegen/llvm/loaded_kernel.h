// A compiled kernel in this process: its shared object in a memory file, opened with dlopen.
#ifndef TUNEFLEET_TESTS_CODEGEN_LLVM_LOADED_KERNEL_H_
#define TUNEFLEET_TESTS_CODEGEN_LLVM_LOADED_KERNEL_H_

#include <memory>
#include <vector>

#include "codegen/code_generator.h"
#include "common/kernel_abi.h"

namespace tunefleet::codegen {

// Bytes at a multiple of 64. `guard`: any access from a page boundary within 64 bytes after the end on faults.
class AlignedBytes {
 public:
  AlignedBytes(size_t size, bool guard);
  ~AlignedBytes();
  AlignedBytes(AlignedBytes&& other) noexcept;
  AlignedBytes(const AlignedBytes&) = delete;
  AlignedBytes& operator=(const AlignedBytes&) = delete;

  void* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void* mapping_ = nullptr;
  size_t mapping_size_ = 0;
  void* data_ = nullptr;
  size_t size_ = 0;
};

// Ends the process when the artifact cannot be loaded. Owns the library.
class LoadedKernel {
 public:
  explicit LoadedKernel(const Artifact& artifact);
  ~LoadedKernel();
  LoadedKernel(const LoadedKernel&) = delete;
  LoadedKernel& operator=(const LoadedKernel&) = delete;

  tf_entry run() const { return run_; }
  tf_entry prepare() const { return prepare_; }  // null when the artifact has none

 private:
  int descriptor_ = -1;  // open while the library is: its number makes the path that dlopen knows the library by
  void* library_ = nullptr;
  tf_entry run_ = nullptr;
  tf_entry prepare_ = nullptr;
};

// The machine that the tests run on: features are what LLVM finds here.
v1::Target HostTarget();

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_LLVM_LOADED_KERNEL_H_
