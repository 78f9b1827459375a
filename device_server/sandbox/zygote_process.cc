#include "device_server/sandbox/zygote_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <map>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "device_server/sandbox/isolation.h"
#include "device_server/sandbox/seccomp_filter.h"
#include "device_server/sandbox/unique_fd.h"
#include "device_server/sandbox/wire.h"
#include "device_server/worker/priority.h"
#include "device_server/worker/worker_process.h"

namespace tunefleet::device {
namespace {

// What the zygote hands on to every worker.
struct Inheritance {
  int proc_fd = -1;
  bool has_group = false;
};

// By their numbers; the status, as waitpid gives it, of one that has ended.
using Workers = std::map<pid_t, std::optional<int>>;

ZygoteReply Spawn(const WorkerSpec& spec, std::vector<UniqueFd> fds, const Inheritance& inheritance, Workers* workers) {
  ZygoteReply reply{.kind = ZygoteReplyKind::kSpawned};
  if (fds.size() != 1) {
    reply.error = EINVAL;
    return reply;
  }
  reply.pid = fork();
  if (reply.pid == 0) {
    const bool in_group = inheritance.has_group && write(kZygoteGroupFd, "0", 1) == 1;
    RunWorker(spec, std::move(fds[0]), inheritance.proc_fd, in_group ? uint32_t{kSandboxGroup} : 0u);
  }
  if (reply.pid < 0) {
    reply.error = errno;
  } else {
    workers->emplace(reply.pid, std::nullopt);
  }
  return reply;
}

// Collects every child that has ended. Workers that nobody asked for yet keep their statuses.
void CollectEnded(Workers* workers) {
  int status = 0;
  while (const pid_t ended = waitpid(-1, &status, WNOHANG)) {
    if (ended < 0 && errno == EINTR) continue;
    if (ended < 0) return;
    if (const auto worker = workers->find(ended); worker != workers->end()) worker->second = status;
  }
}

// Waits for the worker's end, kills its process group when the grace is over, and leaves no child behind.
ZygoteReply Reap(pid_t pid, absl::Duration grace, Workers* workers) {
  ZygoteReply reply{.kind = ZygoteReplyKind::kReaped, .pid = pid};
  const auto worker = workers->find(pid);
  if (worker == workers->end()) return reply;
  const absl::Time deadline = common::MonotonicClock().Now() + grace;
  CollectEnded(workers);
  while (!worker->second && common::MonotonicClock().Now() < deadline) {
    usleep(200);
    CollectEnded(workers);
  }
  kill(-pid, SIGKILL);  // the group: children of a worker that could not be kept from having any
  if (!worker->second) {
    kill(pid, SIGKILL);
    reply.killed = 1;
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    worker->second = status;
  }
  reply.status = *worker->second;
  workers->erase(worker);
  CollectEnded(workers);
  return reply;
}

int Serve(uint32_t sandbox, const Inheritance& inheritance) {
  if (!SendPacket(kZygoteControlFd, ZygoteReply{.kind = ZygoteReplyKind::kReady, .sandbox = sandbox}).ok()) return 1;
  Workers workers;
  ZygoteRequest request;
  std::vector<UniqueFd> fds;
  while (ReceivePacket(kZygoteControlFd, &request, absl::InfiniteDuration(), &fds).ok()) {
    const ZygoteReply reply = request.kind == ZygoteRequestKind::kSpawn
                                  ? Spawn(request.spec, std::move(fds), inheritance, &workers)
                                  : Reap(request.pid, absl::Milliseconds(request.grace_ms), &workers);
    fds.clear();
    if (!SendPacket(kZygoteControlFd, reply).ok()) break;
  }
  while (!workers.empty()) Reap(workers.begin()->first, absl::ZeroDuration(), &workers);
  return 0;
}

// Where memory runs out, the system ends a process: one of these, and never the agent for what a kernel takes.
void BeTheFirstToGo() {
  constexpr absl::string_view kMost = "1000";
  const UniqueFd file(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  // Raising it is always allowed; a system without it has nothing to be told.
  [[maybe_unused]] const bool told = file.valid() && write(file.get(), kMost.data(), kMost.size()) > 0;
}

}  // namespace

int RunZygote() {
  prctl(PR_SET_NAME, "tunefleet-device");  // whatever path it was started by
  BeTheFirstToGo();
  RaisePriority();
  const bool has_group = fcntl(kZygoteGroupFd, F_GETFD) >= 0;
  const UniqueFd proc(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const uint32_t sandbox = IsolateProcess(/*hide_files=*/SeccompAvailable());
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the change of identity, which clears it
  const pid_t pid = fork();          // starts the process namespace
  if (pid < 0) return 1;
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return Serve(sandbox, {.proc_fd = proc.get(), .has_group = has_group});
  }
  close(kZygoteControlFd);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace tunefleet::device
