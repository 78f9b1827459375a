// Turns on cores that are shared: any number of workers (builders that compile, a tuner that plans) are busy at once,
// or one agent times a kernel, never both.
//
//   FILE.gate   passed by workers for a moment, held by who times: once somebody wants to time, no new work begins
//   FILE        held by workers (shared) and by who times (exclusive)
//
// Both are flock'd, gate first: no deadlock, and the system frees what a killed process held. A process that is forked
// while a turn is held holds it too, unless it runs another program. Thread-safe.
#ifndef TUNEFLEET_COMMON_TURNS_H_
#define TUNEFLEET_COMMON_TURNS_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace tunefleet::common {

// Held until it is destroyed. Move-only.
class Turn {
 public:
  Turn(Turn&& other) noexcept;
  Turn& operator=(Turn&& other) noexcept;
  ~Turn();

 private:
  friend class Turns;
  Turn() = default;

  int gate_ = -1;
  int work_ = -1;
};

class Turns {
 public:
  // The files are made when they are missing. Errors: FAILED_PRECONDITION (they cannot be).
  static absl::StatusOr<Turns> Open(std::string file);

  // Waits while somebody times or wants to. `give_up` is asked every millisecond; true ends the wait; empty: never.
  // Errors: CANCELLED (given up), INTERNAL.
  absl::StatusOr<Turn> Work(const std::function<bool()>& give_up = nullptr) const;

  // Waits until all work under way is done. `give_up` as above. Errors: CANCELLED (given up), INTERNAL.
  absl::StatusOr<Turn> Time(const std::function<bool()>& give_up) const;

 private:
  explicit Turns(std::string file) : file_(std::move(file)) {}

  std::string file_;
};

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_TURNS_H_
