#include "common/abstract_name.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>

#include "absl/strings/strip.h"

namespace tunefleet::common {

int HoldAbstractName(absl::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

std::vector<std::string> HeldAbstractNames(absl::string_view prefix) {
  std::vector<std::string> names;
  std::ifstream file("/proc/net/unix");  // the last column: @NAME
  for (std::string line; std::getline(file, line);) {
    const size_t at = line.find(" @");
    if (at == std::string::npos) continue;
    absl::string_view name = absl::string_view(line).substr(at + 2);
    if (absl::ConsumePrefix(&name, prefix)) names.emplace_back(name);
  }
  return names;
}

}  // namespace tunefleet::common
