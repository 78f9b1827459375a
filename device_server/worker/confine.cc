#include "device_server/worker/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "device_server/sandbox/landlock.h"
#include "device_server/sandbox/wire.h"

namespace tunefleet::device {
namespace {

constexpr uint64_t kOwnDescriptors = 8;  // three standard ones, the socket, the counters, and what loading takes
// Until the worker's first kernel has its own.
constexpr uint64_t kFirstBytes = uint64_t{64} << 20;
constexpr uint32_t kFirstSeconds = 3600;

// In the system call that every C library makes of prlimit, which the trap handler knows. An emulator may accept a
// limit and ignore it.
bool Limit(decltype(RLIMIT_AS) resource, uint64_t value, bool for_good) {
  rlimit limit{};
  if (prlimit(0, resource, nullptr, &limit) != 0) return false;
  limit.rlim_cur = static_cast<rlim_t>(std::min<uint64_t>(value, limit.rlim_max));
  if (for_good) limit.rlim_max = limit.rlim_cur;
  rlimit now{};
  return prlimit(0, resource, &limit, nullptr) == 0 && prlimit(0, resource, nullptr, &now) == 0 &&
         now.rlim_cur == limit.rlim_cur && now.rlim_max == limit.rlim_max;
}

uint64_t UsedCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_utime.tv_sec) + static_cast<uint64_t>(usage.ru_stime.tv_sec);
}

void DropCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2] = {};
  syscall(SYS_capset, &header, none);
}

}  // namespace

UniqueFd OpenMemoryCounters(int proc_fd) { return UniqueFd(openat(proc_fd, "self/statm", O_RDONLY | O_CLOEXEC)); }

uint64_t MappedBytes(const UniqueFd& memory_counters) {
  char text[64] = {};
  if (!memory_counters.valid() || pread(memory_counters.get(), text, sizeof(text) - 1, 0) <= 0) return 0;
  return std::strtoull(text, nullptr, 10) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint32_t DropRights() {
  uint32_t bits = 0;
  DropCapabilities();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) bits |= kSandboxNoNewPrivileges;
  if (RestrictWithLandlock()) bits |= kSandboxLandlock;
  return bits;
}

uint32_t LimitResources(uint64_t mapped_bytes) {
  bool all = LimitKernel(mapped_bytes, kFirstBytes, kFirstSeconds, /*for_good=*/false);
  for (const auto resource : {RLIMIT_CORE, RLIMIT_FSIZE, RLIMIT_NPROC, RLIMIT_MEMLOCK, RLIMIT_RTPRIO, RLIMIT_NICE}) {
    all &= Limit(resource, 0, /*for_good=*/true);
  }
  all &= Limit(RLIMIT_NOFILE, kMaxFds + kOwnDescriptors, /*for_good=*/true);
  return all ? uint32_t{kSandboxLimits} : 0;
}

bool LimitKernel(uint64_t mapped_bytes, uint64_t memory_limit_bytes, uint32_t cpu_seconds, bool for_good) {
  const bool memory = mapped_bytes > 0 && Limit(RLIMIT_AS, mapped_bytes + memory_limit_bytes, for_good);
  return Limit(RLIMIT_CPU, UsedCpuSeconds() + cpu_seconds, for_good) && memory;
}

void LiftKernelLimits() {
  for (const auto resource : {RLIMIT_AS, RLIMIT_CPU}) Limit(resource, RLIM_INFINITY, /*for_good=*/false);
}

}  // namespace tunefleet::device
