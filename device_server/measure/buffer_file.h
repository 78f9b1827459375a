// One buffer of a trial in memory that supervisor and worker share, and how it lies between the worker's guard pages.
//
// The file is whole pages. In the kEndsAtGuard layout the data ends at the end of the file, so that the first byte past
// it is in the guard page (up to the alignment that the manifest asks for); in kStartsAtGuard it starts at the start of
// the file, page aligned. Where both are the same offset one file serves for both. The slack around the data holds a
// canary.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_BUFFER_FILE_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_BUFFER_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "device_server/sandbox/unique_fd.h"
#include "proto/artifact.pb.h"

namespace tunefleet::device {

enum class BufferLayout { kEndsAtGuard, kStartsAtGuard };

// Where the data starts in the file.
uint64_t LayoutOffset(const v1::BufferSpec& spec, BufferLayout layout);
// Whole pages, at least the data.
uint64_t LayoutFileBytes(const v1::BufferSpec& spec);

class BufferFile {
 public:
  // A zeroed file with the canary around the data. Whether the machine has the memory is asked before
  // (machine_memory.h). Errors: RESOURCE_EXHAUSTED.
  static absl::StatusOr<std::unique_ptr<BufferFile>> Create(const v1::BufferSpec& spec, BufferLayout layout);
  ~BufferFile();
  BufferFile(const BufferFile&) = delete;
  BufferFile& operator=(const BufferFile&) = delete;

  std::span<std::byte> data() { return {base_ + offset_, static_cast<size_t>(size_)}; }
  std::span<const std::byte> data() const { return {base_ + offset_, static_cast<size_t>(size_)}; }

  // From now on fd() is open for reading alone: whoever is given it can neither map it for writing nor make a mapping
  // of it writable, on any system. What this object has mapped stays writable. Errors: RESOURCE_EXHAUSTED.
  absl::Status SealForReaders();

  // False when something wrote around the data.
  bool CanaryIntact() const;

  int fd() const { return fd_.get(); }
  uint64_t file_bytes() const { return file_bytes_; }
  uint64_t offset() const { return offset_; }

 private:
  BufferFile() = default;

  UniqueFd fd_;
  std::byte* base_ = nullptr;
  uint64_t file_bytes_ = 0;
  uint64_t offset_ = 0;
  uint64_t size_ = 0;
};

// A sealed in-memory file with these bytes, to be loaded as code. Errors: RESOURCE_EXHAUSTED.
absl::StatusOr<UniqueFd> MakeCodeFile(std::span<const std::byte> code);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_BUFFER_FILE_H_
