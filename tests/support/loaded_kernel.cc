#include "tests/support/loaded_kernel.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace tunefleet::testing {
namespace {

constexpr size_t kAlignment = 4096;

void* AllocateZeroed(size_t size) {
  const size_t rounded = (size + kAlignment) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, rounded);
  TF_CHECK(memory != nullptr, "out of memory");
  std::memset(memory, 0, rounded);
  return memory;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LoadedKernel>> LoadedKernel::Load(const v1::ArtifactManifest& manifest,
                                                                 const std::string& code) {
  auto kernel = std::unique_ptr<LoadedKernel>(new LoadedKernel);
  kernel->manifest_ = manifest;
  const int fd = memfd_create("kernel", MFD_CLOEXEC);
  TF_CHECK(fd >= 0 && write(fd, code.data(), code.size()) == static_cast<ssize_t>(code.size()), "cannot write a memfd");
  kernel->handle_ = dlopen(absl::StrCat("/proc/self/fd/", fd).c_str(), RTLD_NOW | RTLD_LOCAL);
  close(fd);
  if (kernel->handle_ == nullptr) return absl::FailedPreconditionError(absl::StrCat("load kernel: ", dlerror()));
  kernel->run_ = reinterpret_cast<tf_entry>(dlsym(kernel->handle_, TF_RUN_SYMBOL));
  kernel->prepare_ = reinterpret_cast<tf_entry>(dlsym(kernel->handle_, TF_PREPARE_SYMBOL));
  if (kernel->run_ == nullptr) return absl::FailedPreconditionError("load kernel: no symbol " TF_RUN_SYMBOL);
  if (manifest.has_prepare() && kernel->prepare_ == nullptr) {
    return absl::FailedPreconditionError("load kernel: no symbol " TF_PREPARE_SYMBOL);
  }
  for (const v1::BufferSpec& buffer : manifest.buffers()) {
    kernel->memory_.emplace_back(AllocateZeroed(buffer.size_bytes()));
    kernel->buffers_.push_back(kernel->memory_.back().get());
  }
  kernel->workspace_.reset(AllocateZeroed(manifest.workspace_bytes()));
  return kernel;
}

LoadedKernel::~LoadedKernel() {
  if (handle_ != nullptr) dlclose(handle_);
}

int LoadedKernel::Index(const std::string& buffer) const {
  for (int i = 0; i < manifest_.buffers_size(); ++i) {
    if (manifest_.buffers(i).name() == buffer) return i;
  }
  TF_CHECK(false, absl::StrCat("no buffer ", buffer));
  return -1;
}

std::span<std::byte> LoadedKernel::bytes(int buffer) const {
  return {static_cast<std::byte*>(buffers_[buffer]), manifest_.buffers(buffer).size_bytes()};
}

int LoadedKernel::Prepare(const tf_runtime* runtime) {
  return manifest_.has_prepare() ? prepare_(buffers_.data(), workspace_.get(), runtime) : 0;
}

}  // namespace tunefleet::testing
