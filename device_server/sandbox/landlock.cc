#include "device_server/sandbox/landlock.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

#include "device_server/sandbox/unique_fd.h"

namespace tunefleet::device {
namespace {

// The kernel's interface, newer than the distribution's header (Documentation/userspace-api/landlock.rst).
struct RulesetAttributes {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;  // ABI 4
  uint64_t scoped;              // ABI 6
};
constexpr uint32_t kQueryVersion = 1;

}  // namespace

bool RestrictWithLandlock() {
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, kQueryVersion);
  if (abi < 1) return false;
  // File rights: 13 bits in ABI 1, then refer, truncate and (ABI 5) ioctl.
  const int file_rights = abi >= 5 ? 16 : abi >= 3 ? 15 : abi == 2 ? 14 : 13;
  RulesetAttributes attributes{.handled_access_fs = (uint64_t{1} << file_rights) - 1,
                               .handled_access_net = abi >= 4 ? uint64_t{3} : 0,
                               .scoped = abi >= 6 ? uint64_t{3} : 0};
  const size_t size = abi >= 6   ? sizeof(attributes)
                      : abi >= 4 ? offsetof(RulesetAttributes, scoped)
                                 : offsetof(RulesetAttributes, handled_access_net);
  const UniqueFd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  return ruleset.valid() && syscall(SYS_landlock_restrict_self, ruleset.get(), 0) == 0;
}

}  // namespace tunefleet::device
