#include "tests/codegen/llvm/loaded_kernel.h"

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/check.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/TargetParser/Host.h"

namespace tunefleet::codegen {

AlignedBytes::AlignedBytes(size_t size, bool guard) : size_(size) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t rounded = (size + 63) / 64 * 64;
  const size_t pages = (std::max<size_t>(rounded, 1) + page - 1) / page * page;
  mapping_size_ = pages + (guard ? 2 * page : 0);
  mapping_ = mmap(nullptr, mapping_size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  TF_CHECK(mapping_ != MAP_FAILED, "memory for a buffer");
  char* start = static_cast<char*>(mapping_);
  if (guard) {
    TF_CHECK(mprotect(start, page, PROT_NONE) == 0, "guard page before");
    TF_CHECK(mprotect(start + page + pages, page, PROT_NONE) == 0, "guard page after");
    data_ = start + page + pages - rounded;
  } else {
    data_ = start;
  }
}

AlignedBytes::~AlignedBytes() {
  if (mapping_ != nullptr) munmap(mapping_, mapping_size_);
}

AlignedBytes::AlignedBytes(AlignedBytes&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      mapping_size_(other.mapping_size_),
      data_(other.data_),
      size_(other.size_) {}

LoadedKernel::LoadedKernel(const Artifact& artifact) {
  descriptor_ = memfd_create("kernel.so", MFD_CLOEXEC);
  TF_CHECK(descriptor_ >= 0, "a memory file");
  TF_CHECK(write(descriptor_, artifact.code.data(), artifact.code.size()) == static_cast<ssize_t>(artifact.code.size()),
           "writing a kernel");
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor_);
  library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  const char* error = library_ == nullptr ? dlerror() : "";
  TF_CHECK(library_ != nullptr, error);
  run_ = reinterpret_cast<tf_entry>(dlsym(library_, TF_RUN_SYMBOL));
  prepare_ = reinterpret_cast<tf_entry>(dlsym(library_, TF_PREPARE_SYMBOL));
  TF_CHECK(run_ != nullptr, "a kernel exports tf_run");
  TF_CHECK((prepare_ != nullptr) == artifact.manifest.has_prepare(), "tf_prepare as the manifest says");
}

LoadedKernel::~LoadedKernel() {
  dlclose(library_);
  close(descriptor_);
}

v1::Target HostTarget() {
  v1::Target target;
  target.set_triple(llvm::sys::getDefaultTargetTriple());
  target.set_cpu(llvm::sys::getHostCPUName().str());
  std::vector<std::string> present;
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
    if (feature.getValue()) present.push_back(feature.getKey().str());
  }
  std::sort(present.begin(), present.end());
  for (const std::string& feature : present) target.add_features(feature);
  return target;
}

}  // namespace tunefleet::codegen
