// The supervisor's end of a zygote: starts it, asks it for workers, has them reaped, and replaces it when it is lost.
//
// One device's control thread owns it; Abort alone may be called from any thread. No worker of a zygote outlives the
// Zygote object. A zygote dies with the thread that started it, so that thread ends it before it ends itself.
#ifndef TUNEFLEET_DEVICE_SERVER_SANDBOX_ZYGOTE_H_
#define TUNEFLEET_DEVICE_SERVER_SANDBOX_ZYGOTE_H_

#include <sys/types.h>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/mutex.h"
#include "device_server/sandbox/unique_fd.h"
#include "device_server/sandbox/wire.h"
#include "device_server/sandbox/worker_group.h"

namespace tunefleet::device {

// How a worker ended.
struct WorkerEnd {
  int status = 0;       // as waitpid gives it
  bool killed = false;  // it was still alive when its grace was over
};

class Zygote {
 public:
  // Starts `program` (the agent's own executable) as a zygote and waits until it is ready. An agent that runs on an
  // emulator has its zygote run on it too: `emulator` is its path and options, empty for none. Workers are put into
  // `group`, which may be null. Errors: UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<Zygote>> Start(std::string program, std::vector<std::string> emulator,
                                                       std::unique_ptr<WorkerGroup> group);
  ~Zygote();
  Zygote(const Zygote&) = delete;
  Zygote& operator=(const Zygote&) = delete;

  // Forks a worker; gives its id. `fds` as in wire.h; the caller keeps its own copies. A zygote that is gone is started
  // anew first. Errors: UNAVAILABLE, RESOURCE_EXHAUSTED (the machine cannot fork).
  absl::StatusOr<pid_t> Spawn(const WorkerSpec& spec, std::span<const int> fds);

  // Returns when the worker and its whole process group are gone: at once when they are, else killed after `grace`.
  absl::StatusOr<WorkerEnd> Reap(pid_t worker, absl::Duration grace);

  // Ends the zygote and its workers, whatever call is under way: that one fails, and so does every later one.
  void Abort();
  // Waits until the zygote and its workers are gone and reaped. The next Spawn starts a new one, unless Abort was
  // called.
  void End();

  // Measures that hold for every worker.
  uint32_t sandbox() const { return sandbox_; }
  pid_t pid() const { return pid_; }

 private:
  Zygote(std::string program, std::vector<std::string> emulator, std::unique_ptr<WorkerGroup> group)
      : program_(std::move(program)), emulator_(std::move(emulator)), group_(std::move(group)) {}
  absl::Status Launch();

  const std::string program_;
  const std::vector<std::string> emulator_;
  const std::unique_ptr<WorkerGroup> group_;
  pid_t pid_ = -1;
  common::Mutex mutex_;
  bool aborted_ ABSL_GUARDED_BY(mutex_) = false;
  UniqueFd control_;  // changed by its owner under the mutex, read by it without
  uint32_t sandbox_ = 0;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_SANDBOX_ZYGOTE_H_
