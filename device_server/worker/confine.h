// Takes a worker's rights away, before any foreign code is mapped. See isolation.h for what the zygote did already.
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_CONFINE_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_CONFINE_H_

#include <cstdint>

#include "device_server/sandbox/unique_fd.h"

namespace tunefleet::device {

// The process's own memory counters, to be opened while that is still allowed. `proc_fd` is an open /proc directory.
UniqueFd OpenMemoryCounters(int proc_fd);

// Bytes of address space that the process has mapped now; 0 when unknown.
uint64_t MappedBytes(const UniqueFd& memory_counters);

// Stops privileges from ever being gained, drops those left, and applies Landlock. Threads started later inherit it.
// Returns SandboxBits.
uint32_t DropRights();

// No files, no cores, no new processes or threads, and `memory_limit_bytes` more address space than `mapped_bytes`.
// Returns kSandboxLimits or 0.
uint32_t LimitResources(uint64_t mapped_bytes, uint64_t memory_limit_bytes, uint32_t cpu_seconds);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_CONFINE_H_
