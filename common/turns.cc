#include "common/turns.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/status_macros.h"

namespace tunefleet::common {
namespace {

constexpr absl::Duration kGlance = absl::Milliseconds(1);

// A lock belongs to an open file: each turn opens its own.
absl::StatusOr<int> OpenLock(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return absl::FailedPreconditionError(absl::StrCat("open ", path, ": ", strerror(errno)));
  return file;
}

absl::Status Lock(int file, int operation) {
  while (flock(file, operation) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return absl::UnavailableError("held by another");
    return absl::InternalError(absl::StrCat("flock: ", strerror(errno)));
  }
  return absl::OkStatus();
}

absl::Status LockPatiently(int file, int operation, const std::function<bool()>& give_up) {
  if (!give_up) return Lock(file, operation);
  while (true) {
    const absl::Status status = Lock(file, operation | LOCK_NB);
    if (!absl::IsUnavailable(status)) return status;
    if (give_up()) return absl::CancelledError("no turn before it was given up");
    absl::SleepFor(kGlance);
  }
}

}  // namespace

Turn::Turn(Turn&& other) noexcept : gate_(std::exchange(other.gate_, -1)), work_(std::exchange(other.work_, -1)) {}

Turn& Turn::operator=(Turn&& other) noexcept {
  std::swap(gate_, other.gate_);
  std::swap(work_, other.work_);
  return *this;
}

Turn::~Turn() {
  if (work_ >= 0) close(work_);
  if (gate_ >= 0) close(gate_);
}

absl::StatusOr<Turns> Turns::Open(std::string file) {
  for (const std::string& path : {file, file + ".gate"}) {
    TF_ASSIGN_OR_RETURN(const int lock, OpenLock(path));
    close(lock);
  }
  return Turns(std::move(file));
}

absl::StatusOr<Turn> Turns::Work(const std::function<bool()>& give_up) const {
  Turn turn, passing;
  TF_ASSIGN_OR_RETURN(passing.gate_, OpenLock(file_ + ".gate"));
  TF_RETURN_IF_ERROR(LockPatiently(passing.gate_, LOCK_SH, give_up));
  TF_ASSIGN_OR_RETURN(turn.work_, OpenLock(file_));
  TF_RETURN_IF_ERROR(LockPatiently(turn.work_, LOCK_SH, give_up));
  return turn;
}

absl::StatusOr<Turn> Turns::Time(const std::function<bool()>& give_up) const {
  Turn turn;
  TF_ASSIGN_OR_RETURN(turn.gate_, OpenLock(file_ + ".gate"));
  TF_RETURN_IF_ERROR(LockPatiently(turn.gate_, LOCK_EX, give_up));
  TF_ASSIGN_OR_RETURN(turn.work_, OpenLock(file_));
  TF_RETURN_IF_ERROR(LockPatiently(turn.work_, LOCK_EX, give_up));
  return turn;
}

}  // namespace tunefleet::common
