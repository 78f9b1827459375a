#include "device_server/measure/core_lock.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace tunefleet::device {
namespace {

enum class Try { kHeld, kBusy, kUnavailable };

Try TryBind(const std::string& name, UniqueFd* lock) {
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Try::kUnavailable;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), std::min(name.size(), sizeof(address.sun_path) - 1));
  const socklen_t length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    return errno == EADDRINUSE ? Try::kBusy : Try::kUnavailable;
  }
  *lock = std::move(fd);
  return Try::kHeld;
}

// False when given up. On a machine without such sockets there is no lock to wait for.
bool Bind(const std::string& name, const std::function<bool()>& give_up, UniqueFd* lock) {
  while (TryBind(name, lock) == Try::kBusy) {
    if (give_up()) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

}  // namespace

std::optional<CoreLock> CoreLock::Acquire(std::vector<uint16_t> cores, const std::string& scope,
                                          const std::function<bool()>& give_up) {
  std::sort(cores.begin(), cores.end());  // one order for all: no deadlock
  CoreLock lock;
  for (const uint16_t core : cores) {
    const std::string name = absl::StrCat("tunefleet", scope, "/core-", core);
    UniqueFd turn, held;
    if (!Bind(absl::StrCat(name, "/turn"), give_up, &turn) || !Bind(name, give_up, &held)) return std::nullopt;
    lock.held_.push_back(std::move(held));
  }
  return lock;
}

}  // namespace tunefleet::device
