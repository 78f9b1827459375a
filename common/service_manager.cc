#include "common/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tunefleet::common {

absl::Status TellServiceManager(absl::string_view state) {
  const char* const name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr || *name == '\0') return absl::OkStatus();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const size_t length = std::strlen(name);
  if (length >= sizeof(address.sun_path) || (*name != '/' && *name != '@')) {
    return absl::UnavailableError(absl::StrCat("NOTIFY_SOCKET=", name, ": neither a path nor @NAME that fits"));
  }
  std::memcpy(address.sun_path, name, length);
  if (*name == '@') address.sun_path[0] = '\0';  // an abstract address
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const socklen_t size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  const bool sent =
      fd >= 0 && sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                        size) == static_cast<ssize_t>(state.size());
  const int error = errno;
  if (fd >= 0) close(fd);
  if (sent) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("tell the service manager at ", name, ": ", strerror(error)));
}

absl::Duration WatchdogInterval() {
  const char* const usec = std::getenv("WATCHDOG_USEC");
  const char* const pid = std::getenv("WATCHDOG_PID");
  int64_t microseconds = 0;
  int64_t watched = 0;
  if (usec == nullptr || !absl::SimpleAtoi(usec, &microseconds) || microseconds <= 0) return absl::InfiniteDuration();
  if (pid != nullptr && (!absl::SimpleAtoi(pid, &watched) || watched != getpid())) return absl::InfiniteDuration();
  return absl::Microseconds(microseconds) / 2;
}

}  // namespace tunefleet::common
