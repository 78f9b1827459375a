#include "device_server/worker/mapped_buffers.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "device_server/worker/cache_flush.h"
#include "proto/artifact.pb.h"

namespace tunefleet::device {
namespace {

uint64_t PageBytes() { return static_cast<uint64_t>(sysconf(_SC_PAGESIZE)); }

int Protection(uint32_t role) {
  const bool writable = role == v1::BUFFER_ROLE_OUTPUT || role == v1::BUFFER_ROLE_PREPARED;
  return writable ? PROT_READ | PROT_WRITE : PROT_READ;
}

}  // namespace

bool MappedBuffers::MapRegion(int file, int protection, uint64_t bytes, uint64_t offset, Region* region) {
  const uint64_t page = PageBytes();
  if (bytes > PTRDIFF_MAX - 2 * page) return false;  // 32-bit machines would map the remainder
  void* const reserved = mmap(nullptr, bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return false;
  region->base = static_cast<std::byte*>(reserved) + page;
  region->bytes = bytes;
  region->data = region->base + offset;
  if (bytes == 0) return true;
  const int flags = MAP_FIXED | MAP_POPULATE | (file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
  return mmap(region->base, bytes, protection, flags, file, 0) != MAP_FAILED;
}

MappedBuffers::~MappedBuffers() {
  const auto unmap = [](const Region& region) {
    if (region.base != nullptr) munmap(region.base - PageBytes(), region.bytes + 2 * PageBytes());
  };
  for (const auto& set : regions_) std::ranges::for_each(set, unmap);
  for (const auto& copy : copies_) std::ranges::for_each(copy, unmap);
  unmap(workspace_region_);
  unmap(eviction_region_);
}

bool MappedBuffers::Map(const KernelSpec& spec, std::span<const UniqueFd> files) {
  num_buffers_ = spec.num_buffers;
  num_sets_ = spec.num_sets;
  for (uint32_t set = 0; set < num_sets_; ++set) {
    for (uint32_t i = 0; i < num_buffers_; ++i) {
      const BufferMapping& mapping = spec.buffers[set][i];
      Region& region = regions_[set][i];
      region.size = mapping.size;
      region.buffer = static_cast<int32_t>(i);
      region.role = mapping.role;
      const int protection = Protection(region.role);
      if (!MapRegion(files[mapping.fd_index].get(), protection, mapping.file_bytes, mapping.offset, &region))
        return false;
      pointers_[set][i] = region.data;
    }
  }
  const BufferMapping& workspace = spec.workspace;
  workspace_region_.size = workspace.size;
  workspace_region_.buffer = kWorkspaceBuffer;
  workspace_region_.role = v1::BUFFER_ROLE_OUTPUT;
  if (!MapRegion(files[workspace.fd_index].get(), PROT_READ | PROT_WRITE, workspace.file_bytes, workspace.offset,
                 &workspace_region_)) {
    return false;
  }
  workspace_ = workspace_region_.data;
  eviction_region_.size = spec.eviction_bytes / PageBytes() * PageBytes();
  return MapRegion(-1, PROT_READ | PROT_WRITE, eviction_region_.size, 0, &eviction_region_) && MapCopies(spec);
}

bool MappedBuffers::MapCopies(const KernelSpec& spec) {
  if (num_sets_ == 0) return true;
  num_copies_ = spec.copies;
  for (uint32_t copy = 0; copy < num_copies_; ++copy) {
    for (uint32_t i = 0; i < num_buffers_; ++i) {
      const BufferMapping& mapping = spec.buffers[num_sets_ - 1][i];
      Region& region = copies_[copy][i];
      region.size = mapping.size;
      region.buffer = static_cast<int32_t>(i);
      region.role = mapping.role;
      if (!MapRegion(-1, PROT_READ | PROT_WRITE, mapping.file_bytes, mapping.offset, &region)) return false;
      copy_pointers_[copy][i] = region.data;
    }
  }
  return true;
}

bool MappedBuffers::FillCopies() {
  for (uint32_t copy = 0; copy < num_copies_; ++copy) {
    for (uint32_t i = 0; i < num_buffers_; ++i) {
      const Region& region = copies_[copy][i];
      if (region.bytes == 0) continue;
      if (mprotect(region.base, region.bytes, PROT_READ | PROT_WRITE) != 0) return false;
      std::memcpy(region.data, pointers_[num_sets_ - 1][i], region.size);
      const bool output = region.role == v1::BUFFER_ROLE_OUTPUT;
      if (!output && mprotect(region.base, region.bytes, PROT_READ) != 0) return false;
    }
  }
  return true;
}

bool MappedBuffers::SetPreparedWritable(uint32_t set, bool writable) {
  for (uint32_t i = 0; i < num_buffers_; ++i) {
    const Region& region = regions_[set][i];
    if (region.role != v1::BUFFER_ROLE_PREPARED || region.bytes == 0) continue;
    if (mprotect(region.base, region.bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ) != 0) return false;
  }
  return true;
}

void MappedBuffers::FlushFromCaches(uint32_t set) {
  for (uint32_t i = 0; i < num_buffers_; ++i) FlushRange(regions_[set][i].data, regions_[set][i].size);
  FlushRange(workspace_region_.data, workspace_region_.size);
  FlushDone();
  SweepRange(eviction_region_.data, eviction_region_.size);
}

int32_t MappedBuffers::Locate(uint64_t address, int64_t* offset) const {
  const uint64_t guard = 4096;  // the smallest page; sysconf is not for signal handlers
  const auto holds = [&](const Region& region) {
    const uint64_t base = reinterpret_cast<uintptr_t>(region.base);
    return base != 0 && address >= base - guard && address < base + region.bytes + guard;
  };
  const auto found = [&](const Region& region) {
    *offset = static_cast<int64_t>(address - reinterpret_cast<uintptr_t>(region.data));
    return region.buffer;
  };
  for (uint32_t set = 0; set < num_sets_; ++set) {
    for (uint32_t i = 0; i < num_buffers_; ++i) {
      if (holds(regions_[set][i])) return found(regions_[set][i]);
    }
  }
  for (uint32_t copy = 0; copy < num_copies_; ++copy) {
    for (uint32_t i = 0; i < num_buffers_; ++i) {
      if (holds(copies_[copy][i])) return found(copies_[copy][i]);
    }
  }
  if (holds(workspace_region_)) return found(workspace_region_);
  return -1;
}

}  // namespace tunefleet::device
