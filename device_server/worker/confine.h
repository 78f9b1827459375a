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

// For good: no files, no cores, no new processes or threads, and no more descriptors than a kernel comes with. For the
// time before the first kernel: little memory. `mapped_bytes`: by now. Returns kSandboxLimits or 0.
uint32_t LimitResources(uint64_t mapped_bytes);

// The limits of one kernel: so much address space beyond `mapped_bytes`, so much processor time from now on. Those that
// are not for good can be lifted, where the seccomp filter lets them be. False: the machine has no such limits.
bool LimitKernel(uint64_t mapped_bytes, uint64_t memory_limit_bytes, uint32_t cpu_seconds, bool for_good);

// For the time in which the next kernel's buffers are mapped.
void LiftKernelLimits();

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_CONFINE_H_
