// A kernel's buffers and its workspace in its worker. Every mapping has an inaccessible guard page on both sides.
//
// Inputs and constants are mapped read-only (their files are handed out for reading alone, so they stay so); prepared
// buffers become read-only after `prepare`; outputs are writable. Locate() is async-signal-safe; the rest is
// single-threaded.
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_MAPPED_BUFFERS_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_MAPPED_BUFFERS_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "device_server/sandbox/unique_fd.h"
#include "device_server/sandbox/wire.h"

namespace tunefleet::device {

class MappedBuffers {
 public:
  MappedBuffers() = default;
  ~MappedBuffers();  // unmaps everything
  MappedBuffers(const MappedBuffers&) = delete;
  MappedBuffers& operator=(const MappedBuffers&) = delete;

  // Maps all sets of `spec`, once. `files` are the kernel's buffer files, not needed afterwards. False with errno when
  // the machine lacks the memory.
  bool Map(const KernelSpec& spec, std::span<const UniqueFd> files);

  // What the kernel's entry points take.
  void* const* buffers(uint32_t set) const { return pointers_[set]; }
  void* workspace() const { return workspace_; }

  // Opens prepared buffers for writing, or closes them.
  bool SetPreparedWritable(uint32_t set, bool writable);

  // Evicts everything that the kernel touches from every cache.
  void FlushFromCaches(uint32_t set);

  // Gives every copy the present contents of the last set, and the rights that go with each buffer's role. False with
  // errno when the machine refuses.
  bool FillCopies();
  uint32_t num_copies() const { return num_copies_; }
  void* const* copy(uint32_t index) const { return copy_pointers_[index]; }

  // Names the buffer that `address` lies in or near (within its guard pages): its index, or kWorkspaceBuffer, or -1.
  int32_t Locate(uint64_t address, int64_t* offset) const;

 private:
  struct Region {
    std::byte* base = nullptr;  // after the leading guard page
    uint64_t bytes = 0;         // whole pages
    std::byte* data = nullptr;
    uint64_t size = 0;
    int32_t buffer = -1;
    uint32_t role = 0;
  };
  bool MapRegion(int file, int protection, uint64_t bytes, uint64_t offset, Region* region);
  bool MapCopies(const KernelSpec& spec);

  uint32_t num_buffers_ = 0;
  uint32_t num_sets_ = 0;
  Region regions_[kMaxSets][kMaxBuffers];
  uint32_t num_copies_ = 0;
  Region copies_[kMaxCopies][kMaxBuffers];
  Region eviction_region_;
  Region workspace_region_;
  void* pointers_[kMaxSets][kMaxBuffers] = {};
  void* copy_pointers_[kMaxCopies][kMaxBuffers] = {};
  void* workspace_ = nullptr;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_MAPPED_BUFFERS_H_
