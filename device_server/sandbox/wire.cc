#include "device_server/sandbox/wire.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/clock.h"

namespace tunefleet::device {
namespace {

int PollTimeout(absl::Time deadline) {
  if (deadline == absl::InfiniteFuture()) return -1;
  const absl::Duration left = deadline - common::MonotonicClock().Now();
  return static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))), 0,
                                              std::numeric_limits<int>::max()));
}

}  // namespace

std::vector<std::string> SandboxNames(uint32_t bits) {
  constexpr struct {
    uint32_t bit;
    const char* name;
  } kNames[] = {
      {kSandboxGroup, "control_group"},
      {kSandboxIpcNamespace, "ipc_namespace"},
      {kSandboxLandlock, "landlock"},
      {kSandboxLimits, "limits"},
      {kSandboxMountNamespace, "mount_namespace"},
      {kSandboxNetNamespace, "net_namespace"},
      {kSandboxNoNewPrivileges, "no_new_privileges"},
      {kSandboxPidNamespace, "pid_namespace"},
      {kSandboxPinned, "pinned"},
      {kSandboxSeccomp, "seccomp"},
      {kSandboxUnprivileged, "unprivileged"},
  };
  std::vector<std::string> names;
  if ((bits & kSandboxFull) == kSandboxFull) names.push_back("full");
  for (const auto& entry : kNames) {
    if (bits & entry.bit) names.push_back(entry.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

uint64_t KernelSpec::OwnBytes() const {
  uint64_t copy_bytes = 0;
  for (uint32_t i = 0; num_sets > 0 && i < num_buffers; ++i) copy_bytes += buffers[num_sets - 1][i].file_bytes;
  return eviction_bytes + copies * copy_bytes;
}

absl::Status SendPacket(int socket, const void* data, size_t size, std::span<const int> fds) {
  TF_CHECK(fds.size() <= kMaxFds, "too many descriptors in one packet");
  iovec part{const_cast<void*>(data), size};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))] = {};
  if (!fds.empty()) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
  }
  while (sendmsg(socket, &header, MSG_NOSIGNAL) < 0) {
    if (errno == EINTR) continue;
    return absl::UnavailableError(absl::StrCat("send: ", strerror(errno)));
  }
  return absl::OkStatus();
}

absl::Status ReceivePacket(int socket, void* data, size_t size, absl::Duration timeout, std::vector<UniqueFd>* fds) {
  const absl::Time deadline =
      timeout == absl::InfiniteDuration() ? absl::InfiniteFuture() : common::MonotonicClock().Now() + timeout;
  while (true) {
    pollfd entry{socket, POLLIN, 0};
    const int ready = poll(&entry, 1, PollTimeout(deadline));
    if (ready > 0) break;
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return absl::DeadlineExceededError("receive: timed out");
    return absl::UnavailableError(absl::StrCat("poll: ", strerror(errno)));
  }
  return ReceiveNext(socket, data, size, fds);
}

absl::Status ReceiveNext(int socket, void* data, size_t size, std::vector<UniqueFd>* fds) {
  iovec part{data, size};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))];
  header.msg_control = control;
  header.msg_controllen = sizeof(control);
  ssize_t count = 0;
  do {
    count = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (count < 0 && errno == EINTR);
  std::vector<UniqueFd> received;
  for (cmsghdr* part_header = count < 0 ? nullptr : CMSG_FIRSTHDR(&header); part_header != nullptr;
       part_header = CMSG_NXTHDR(&header, part_header)) {
    if (part_header->cmsg_level != SOL_SOCKET || part_header->cmsg_type != SCM_RIGHTS) continue;
    const size_t number = (part_header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < number; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part_header) + i * sizeof(int), sizeof(int));
      received.emplace_back(fd);
    }
  }
  if (count < 0 && errno != ECONNRESET) return absl::UnavailableError(absl::StrCat("receive: ", strerror(errno)));
  if (count <= 0) return absl::OutOfRangeError("receive: the peer is gone");
  if (static_cast<size_t>(count) != size || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return absl::DataLossError(absl::StrCat("receive: a message of ", count, " bytes, expected ", size));
  }
  if (fds != nullptr) *fds = std::move(received);
  return absl::OkStatus();
}

}  // namespace tunefleet::device
