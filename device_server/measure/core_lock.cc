#include "device_server/measure/core_lock.h"

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/abstract_name.h"

namespace tunefleet::device {
namespace {

enum class Try { kHeld, kBusy, kUnavailable };

Try TryBind(const std::string& name, UniqueFd* lock) {
  const int fd = common::HoldAbstractName(name);
  if (fd < 0) return errno == EADDRINUSE ? Try::kBusy : Try::kUnavailable;
  lock->Reset(fd);
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
