#include "device_server/sandbox/zygote_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <set>
#include <vector>

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

ZygoteReply Spawn(const WorkerSpec& spec, std::vector<UniqueFd> fds, const Inheritance& inheritance,
                  std::set<pid_t>* workers) {
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
    workers->insert(reply.pid);
  }
  return reply;
}

// Waits for the worker's end, kills its process group when the grace is over, and leaves no child behind.
ZygoteReply Reap(pid_t pid, absl::Duration grace, std::set<pid_t>* workers) {
  ZygoteReply reply{.kind = ZygoteReplyKind::kReaped, .pid = pid};
  if (workers->erase(pid) == 0) return reply;
  const absl::Time deadline = common::MonotonicClock().Now() + grace;
  pid_t ended = 0;
  while ((ended = waitpid(pid, &reply.status, WNOHANG)) == 0 && common::MonotonicClock().Now() < deadline) usleep(200);
  kill(-pid, SIGKILL);  // the group: children of a worker that could not be kept from having any
  if (ended == 0) {
    kill(pid, SIGKILL);
    reply.killed = 1;
    while (waitpid(pid, &reply.status, 0) < 0 && errno == EINTR) {
    }
  }
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  return reply;
}

int Serve(uint32_t sandbox, const Inheritance& inheritance) {
  if (!SendPacket(kZygoteControlFd, ZygoteReply{.kind = ZygoteReplyKind::kReady, .sandbox = sandbox}).ok()) return 1;
  std::set<pid_t> workers;
  ZygoteRequest request;
  std::vector<UniqueFd> fds;
  while (ReceivePacket(kZygoteControlFd, &request, absl::InfiniteDuration(), &fds).ok()) {
    const ZygoteReply reply = request.kind == ZygoteRequestKind::kSpawn
                                  ? Spawn(request.spec, std::move(fds), inheritance, &workers)
                                  : Reap(request.pid, absl::Milliseconds(request.grace_ms), &workers);
    fds.clear();
    if (!SendPacket(kZygoteControlFd, reply).ok()) break;
  }
  while (!workers.empty()) Reap(*workers.begin(), absl::ZeroDuration(), &workers);
  return 0;
}

}  // namespace

int RunZygote() {
  prctl(PR_SET_NAME, "tunefleet-device");  // whatever path it was started by
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
