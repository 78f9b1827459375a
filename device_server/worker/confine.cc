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

// An emulator may accept a limit and ignore it.
bool Limit(decltype(RLIMIT_AS) resource, uint64_t value) {
  const auto most = static_cast<rlim_t>(std::min<uint64_t>(value, RLIM_INFINITY));
  const rlimit limit{most, most};
  rlimit now{};
  return setrlimit(resource, &limit) == 0 && getrlimit(resource, &now) == 0 && now.rlim_max == limit.rlim_max;
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

uint32_t LimitResources(uint64_t mapped_bytes, uint64_t memory_limit_bytes, uint32_t cpu_seconds) {
  bool all = mapped_bytes > 0 && Limit(RLIMIT_AS, mapped_bytes + memory_limit_bytes);
  all &= Limit(RLIMIT_CORE, 0);
  all &= Limit(RLIMIT_FSIZE, 0);
  all &= Limit(RLIMIT_NPROC, 0);
  all &= Limit(RLIMIT_NOFILE, 8);
  all &= Limit(RLIMIT_MEMLOCK, 0);
  all &= Limit(RLIMIT_RTPRIO, 0);
  all &= Limit(RLIMIT_NICE, 0);
  all &= Limit(RLIMIT_CPU, cpu_seconds);
  return all ? uint32_t{kSandboxLimits} : 0;
}

}  // namespace tunefleet::device
