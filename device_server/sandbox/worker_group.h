// A control group (cgroup v2) for a device's workers, where there is one to be had: the system's own bound on their
// memory and on the number of their processes and threads, besides the limits that each worker has. Not thread-safe.
//
//   OWN/tunefleet-agent      this process, where it was alone in OWN (a group with controllers for its children may
//   hold none) OWN/tunefleet-NAME       the workers
#ifndef TUNEFLEET_DEVICE_SERVER_SANDBOX_WORKER_GROUP_H_
#define TUNEFLEET_DEVICE_SERVER_SANDBOX_WORKER_GROUP_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "device_server/sandbox/unique_fd.h"

namespace tunefleet::device {

// The group of a process in the unified hierarchy, from the text of its /proc/PID/cgroup; empty: it is in none.
std::string UnifiedGroup(absl::string_view proc_cgroup);

class WorkerGroup {
 public:
  // `own` is the folder of this process's group. Errors: UNAVAILABLE, and why: no such hierarchy, no controllers for
  // memory and pids, no right to make groups, other processes in the group.
  static absl::StatusOr<std::unique_ptr<WorkerGroup>> Create(const std::string& own, const std::string& name);
  // Removes the group; its processes are gone.
  ~WorkerGroup();
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;

  // Of all processes in it together. Errors: UNAVAILABLE.
  absl::Status LimitMemory(uint64_t bytes);
  absl::Status LimitTasks(uint64_t tasks);

  // A process that writes "0" here moves in.
  int entrance() const { return entrance_.get(); }

 private:
  WorkerGroup(std::string folder, UniqueFd entrance) : folder_(std::move(folder)), entrance_(std::move(entrance)) {}

  const std::string folder_;
  const UniqueFd entrance_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_SANDBOX_WORKER_GROUP_H_
