#include "device_server/measure/buffer_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace tunefleet::device {
namespace {

constexpr std::byte kCanary{0x5c};

absl::Status MemoryError(const char* operation, uint64_t bytes) {
  return absl::ResourceExhaustedError(absl::StrCat(operation, " of ", bytes, " bytes: ", strerror(errno)));
}

}  // namespace

uint64_t LayoutFileBytes(const v1::BufferSpec& spec) {
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return (spec.size_bytes() + page - 1) / page * page;
}

uint64_t LayoutOffset(const v1::BufferSpec& spec, BufferLayout layout) {
  if (layout == BufferLayout::kStartsAtGuard) return 0;
  const uint64_t alignment = std::max<uint64_t>(spec.alignment(), 1);
  return (LayoutFileBytes(spec) - spec.size_bytes()) / alignment * alignment;
}

absl::StatusOr<std::unique_ptr<BufferFile>> BufferFile::Create(const v1::BufferSpec& spec, BufferLayout layout) {
  auto file = absl::WrapUnique(new BufferFile());
  file->size_ = spec.size_bytes();
  file->file_bytes_ = LayoutFileBytes(spec);
  file->offset_ = LayoutOffset(spec, layout);
  file->fd_.Reset(memfd_create("tunefleet-buffer", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file->fd_.valid() || ftruncate(file->fd(), static_cast<off_t>(file->file_bytes_)) != 0) {
    return MemoryError("a buffer", file->file_bytes_);
  }
  if (fcntl(file->fd(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return MemoryError("seal a buffer", 0);
  if (file->file_bytes_ == 0) return file;
  // fallocate, so that a full machine is an error here and not a fault on first touch.
  if (fallocate(file->fd(), 0, 0, static_cast<off_t>(file->file_bytes_)) != 0) {
    return MemoryError("a buffer", file->file_bytes_);
  }
  void* const base = mmap(nullptr, file->file_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file->fd(), 0);
  if (base == MAP_FAILED) return MemoryError("a buffer", file->file_bytes_);
  file->base_ = static_cast<std::byte*>(base);
  std::fill(file->base_, file->base_ + file->offset_, kCanary);
  std::fill(file->base_ + file->offset_ + file->size_, file->base_ + file->file_bytes_, kCanary);
  return file;
}

BufferFile::~BufferFile() {
  if (base_ != nullptr) munmap(base_, file_bytes_);
}

absl::Status BufferFile::SealForReaders() {
  UniqueFd readable(open(absl::StrCat("/proc/self/fd/", fd()).c_str(), O_RDONLY | O_CLOEXEC));
  if (!readable.valid()) return MemoryError("open a buffer for reading", file_bytes_);
  fd_ = std::move(readable);
  return absl::OkStatus();
}

bool BufferFile::CanaryIntact() const {
  const auto intact = [](std::byte byte) { return byte == kCanary; };
  return std::all_of(base_, base_ + offset_, intact) &&
         std::all_of(base_ + offset_ + size_, base_ + file_bytes_, intact);
}

absl::StatusOr<UniqueFd> MakeCodeFile(std::span<const std::byte> code) {
  UniqueFd fd(memfd_create("tunefleet-kernel", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return MemoryError("a code file", code.size());
  for (size_t done = 0; done < code.size();) {
    const ssize_t count = write(fd.get(), code.data() + done, code.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return MemoryError("a code file", code.size());
    done += static_cast<size_t>(count);
  }
  if (lseek(fd.get(), 0, SEEK_SET) != 0) return MemoryError("rewind a code file", code.size());
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    return MemoryError("seal a code file", code.size());
  }
  return fd;
}

}  // namespace tunefleet::device
