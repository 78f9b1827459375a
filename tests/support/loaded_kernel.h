// A kernel loaded into this process: for benchmarks and tests that trust it. (The device agent never does this.)
#ifndef TUNEFLEET_TESTS_SUPPORT_LOADED_KERNEL_H_
#define TUNEFLEET_TESTS_SUPPORT_LOADED_KERNEL_H_

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/kernel_abi.h"
#include "proto/artifact.pb.h"

namespace tunefleet::testing {

// Owns the loaded code, one buffer per manifest entry and the workspace. Not thread-safe.
class LoadedKernel {
 public:
  // Errors: FAILED_PRECONDITION when the code cannot be loaded or lacks an entry point.
  static absl::StatusOr<std::unique_ptr<LoadedKernel>> Load(const v1::ArtifactManifest& manifest,
                                                            const std::string& code);
  ~LoadedKernel();
  LoadedKernel(const LoadedKernel&) = delete;
  LoadedKernel& operator=(const LoadedKernel&) = delete;

  const v1::ArtifactManifest& manifest() const { return manifest_; }
  // Index of the named buffer; it must exist.
  int Index(const std::string& buffer) const;
  std::span<std::byte> bytes(int buffer) const;

  // Both return the kernel's status, 0 for success. Prepare does nothing when the kernel has no tf_prepare.
  int Prepare(const tf_runtime* runtime = nullptr);
  int Run(const tf_runtime* runtime = nullptr) { return run_(buffers_.data(), workspace_.get(), runtime); }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  using Memory = std::unique_ptr<void, Free>;

  LoadedKernel() = default;

  v1::ArtifactManifest manifest_;
  void* handle_ = nullptr;
  tf_entry run_ = nullptr;
  tf_entry prepare_ = nullptr;
  std::vector<Memory> memory_;
  std::vector<void*> buffers_;
  Memory workspace_;
};

}  // namespace tunefleet::testing

#endif  // TUNEFLEET_TESTS_SUPPORT_LOADED_KERNEL_H_
