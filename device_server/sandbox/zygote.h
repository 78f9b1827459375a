// The supervisor's end of a zygote: starts it, asks it for workers, has them reaped, and replaces it when it is lost.
//
// One device's control thread owns it; Abort alone may be called from any thread. No worker of a zygote outlives the
// Zygote object. A zygote dies with the thread that started it, so that thread ends it before it ends itself.
#ifndef TUNEFLEET_DEVICE_SERVER_SANDBOX_ZYGOTE_H_
#define TUNEFLEET_DEVICE_SERVER_SANDBOX_ZYGOTE_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
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

// Names a worker of this device. Other zygotes number theirs alike.
struct WorkerId {
  pid_t zygote = -1;
  pid_t pid = -1;  // as the zygote knows it
};

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

  // Forks a worker. `socket` is the worker's end; the caller keeps its own copy. A zygote that is gone is
  // started anew first; one that cannot fork is ended. Errors: UNAVAILABLE, RESOURCE_EXHAUSTED (no worker could be
  // forked).
  absl::StatusOr<WorkerId> Spawn(const WorkerSpec& spec, int socket);

  // Makes room in the workers' group for one that opens this kernel. Errors: UNAVAILABLE, after Abort too.
  absl::Status AllowMemory(const KernelSpec& spec);

  // Returns when the worker and its whole process group are gone: at once when they are, else killed after `grace`.
  // Errors: UNAVAILABLE: it went with its zygote.
  absl::StatusOr<WorkerEnd> Reap(const WorkerId& worker, absl::Duration grace);

  // Ends the zygote and its workers, whatever call is under way: that one fails, and so does every later one.
  void Abort();
  // Waits until the zygote and its workers are gone and reaped. The next Spawn starts a new one, unless Abort was
  // called.
  void End();

  // Measures that hold for every worker of this zygote, and those without which no worker may run foreign code: what
  // the first one had. The next zygote, and each worker, is held to it.
  uint32_t sandbox() const { return sandbox_; }
  uint32_t required_sandbox() const { return required_sandbox_; }
  void RequireSandbox(uint32_t bits) { required_sandbox_ = bits; }
  pid_t pid() const { return pid_; }

 private:
  Zygote(std::string program, std::vector<std::string> emulator, std::unique_ptr<WorkerGroup> group)
      : program_(std::move(program)), emulator_(std::move(emulator)), group_(std::move(group)) {}
  absl::Status Launch();

  const std::string program_;
  const std::vector<std::string> emulator_;
  const std::unique_ptr<WorkerGroup> group_;
  pid_t pid_ = -1;
  uint64_t workers_ = 0;  // not reaped
  common::Mutex mutex_;
  bool aborted_ ABSL_GUARDED_BY(mutex_) = false;
  UniqueFd control_;  // changed by its owner under the mutex, read by it without
  uint32_t sandbox_ = 0;
  uint32_t required_sandbox_ = 0;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_SANDBOX_ZYGOTE_H_
