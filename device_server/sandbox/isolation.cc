#include "device_server/sandbox/isolation.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "device_server/sandbox/unique_fd.h"
#include "device_server/sandbox/wire.h"

namespace tunefleet::device {
namespace {

constexpr uid_t kNobody = 65534;
constexpr int kNamespaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC;
constexpr uint32_t kNamespaceBits = kSandboxPidNamespace | kSandboxNetNamespace | kSandboxIpcNamespace;

bool WriteProcFile(const char* path, const std::string& text) {
  const UniqueFd file(open(path, O_WRONLY | O_CLOEXEC));
  return file.valid() && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool BecomeNobody() {
  if (setgroups(0, nullptr) != 0 || setresgid(kNobody, kNobody, kNobody) != 0 ||
      setresuid(kNobody, kNobody, kNobody) != 0) {
    return false;
  }
  prctl(PR_SET_DUMPABLE, 1);  // the change of identity took it; /proc/self must stay ours
  return true;
}

// A user namespace where the caller is root over nothing but itself.
bool EnterUserNamespace() {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  if (unshare(CLONE_NEWUSER) != 0) return false;
  return WriteProcFile("/proc/self/setgroups", "deny") &&
         WriteProcFile("/proc/self/uid_map", absl::StrCat("0 ", uid, " 1")) &&
         WriteProcFile("/proc/self/gid_map", absl::StrCat("0 ", gid, " 1"));
}

// Swaps the root for an empty directory. /proc serves as the place to mount it: it exists everywhere.
bool HideFiles() {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  if (mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k") != 0) return false;
  if (chdir("/proc") != 0 || syscall(SYS_pivot_root, ".", ".") != 0) return false;
  if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) return false;
  return mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) ==
         0;
}

}  // namespace

uint32_t IsolateProcess(bool hide_files) {
  uint32_t bits = 0;
  const bool is_root = geteuid() == 0;
  if (is_root && unshare(kNamespaces) == 0) {
    bits |= kNamespaceBits;
    if (hide_files && HideFiles()) bits |= kSandboxMountNamespace;
    if (BecomeNobody()) bits |= kSandboxUnprivileged;
    return bits;
  }
  // Not root, or root of a container that may not make namespaces: through a user namespace, where that is permitted.
  if (is_root ? BecomeNobody() : true) bits |= kSandboxUnprivileged;
  if (EnterUserNamespace() && unshare(kNamespaces) == 0) {
    bits |= kNamespaceBits;
    if (hide_files && HideFiles()) bits |= kSandboxMountNamespace;
  }
  return bits;
}

}  // namespace tunefleet::device
