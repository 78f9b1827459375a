#include "device_server/sandbox/zygote.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status_macros.h"
#include "device_server/sandbox/zygote_process.h"

namespace tunefleet::device {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(20);
constexpr absl::Duration kReplyTimeout = absl::Seconds(20);
// What a worker has of its own besides what its kernel asks for, generously: the limits proper are its own.
constexpr uint64_t kWorkerBytes = uint64_t{256} << 20;
constexpr uint64_t kWorkerTasks = 16;
[[maybe_unused]] constexpr int kMostDescriptors = 1024;

// What of this process's environment a kernel may read: what loader, sanitizers and emulator go by, and no more. The
// rest may hold what is the agent's alone. Ends with null.
std::vector<char*> EnvironmentForForeignCode() {
  constexpr absl::string_view kNames[] = {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "LSAN_OPTIONS",  "TSAN_OPTIONS",
                                          "UBSAN_OPTIONS",   "QEMU_CPU",     "QEMU_LD_PREFIX"};
  std::vector<char*> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const absl::string_view text = *variable;
    const absl::string_view name = text.substr(0, text.find('='));
    if (std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames)) kept.push_back(*variable);
  }
  kept.push_back(nullptr);
  return kept;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Zygote>> Zygote::Start(std::string program, std::vector<std::string> emulator,
                                                      std::unique_ptr<WorkerGroup> group) {
  auto zygote = absl::WrapUnique(new Zygote(std::move(program), std::move(emulator), std::move(group)));
  TF_RETURN_IF_ERROR(zygote->Launch());
  return zygote;
}

Zygote::~Zygote() { End(); }

absl::Status Zygote::Launch() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return absl::UnavailableError(absl::StrCat("start the zygote: socketpair: ", strerror(errno)));
  }
  const UniqueFd theirs(ends[1]);
  {
    UniqueFd ours(ends[0]);
    const common::MutexLock lock(&mutex_);
    if (aborted_) return absl::UnavailableError("start the zygote: the agent is ending");
    control_ = std::move(ours);
  }
  // Off the numbers that the child's copies take: dup2 onto itself would keep the close-on-exec mark.
  const UniqueFd source(fcntl(theirs.get(), F_DUPFD_CLOEXEC, kZygoteGroupFd + 1));
  const UniqueFd entrance(group_ == nullptr ? -1 : fcntl(group_->entrance(), F_DUPFD_CLOEXEC, kZygoteGroupFd + 1));

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, source.get(), kZygoteControlFd);
  if (entrance.valid()) posix_spawn_file_actions_adddup2(&actions, entrance.get(), kZygoteGroupFd);
  const int unused = entrance.valid() ? kZygoteGroupFd + 1 : kZygoteGroupFd;
#ifdef __GLIBC__
  posix_spawn_file_actions_addclosefrom_np(&actions, unused);
#else  // one by one, which may fail; the agent opens all of its own so that they are closed anyway
  for (int fd = unused; fd < kMostDescriptors; ++fd) posix_spawn_file_actions_addclose(&actions, fd);
#endif
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, standard;
  sigemptyset(&none);
  sigfillset(&standard);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &standard);
  // Its own session: Ctrl-C in a terminal drains the agent and must not kill the zygote under it.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> command = emulator_;
  command.push_back(program_);
  command.push_back(kZygoteArgument);
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  std::vector<char*> environment = EnvironmentForForeignCode();
  const int error = posix_spawn(&pid_, arguments[0], &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    pid_ = -1;
    return absl::UnavailableError(absl::StrCat("start the zygote ", program_, ": ", strerror(error)));
  }
  ZygoteReply reply;
  if (const absl::Status status = ReceivePacket(control_.get(), &reply, kStartTimeout); !status.ok()) {
    End();
    return absl::UnavailableError(absl::StrCat("start the zygote ", program_, ": ", status.message()));
  }
  sandbox_ = reply.sandbox;
  return absl::OkStatus();
}

void Zygote::Abort() {
  const common::MutexLock lock(&mutex_);
  aborted_ = true;
  if (control_.valid()) shutdown(control_.get(), SHUT_RDWR);  // for the zygote the same as a closed socket
}

void Zygote::End() {
  {
    const common::MutexLock lock(&mutex_);
    control_.Reset();  // the zygote kills its workers and ends
  }
  workers_ = 0;
  if (pid_ < 0) return;
  const absl::Duration step = absl::Milliseconds(1);
  for (absl::Duration waited; waited < absl::Seconds(5); waited += step) {
    if (waitpid(pid_, nullptr, WNOHANG) != 0) {
      pid_ = -1;
      return;
    }
    absl::SleepFor(step);
  }
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

absl::StatusOr<WorkerId> Zygote::Spawn(const WorkerSpec& spec, int socket) {
  if (!control_.valid()) TF_RETURN_IF_ERROR(Launch());
  if (group_ != nullptr) TF_RETURN_IF_ERROR(group_->LimitTasks((workers_ + 1) * (spec.threads + kWorkerTasks)));
  const std::span<const int> fds(&socket, 1);
  const ZygoteRequest request{.kind = ZygoteRequestKind::kSpawn, .spec = spec};
  if (!SendPacket(control_.get(), request, fds).ok()) {
    End();
    TF_RETURN_IF_ERROR(Launch());
    TF_RETURN_IF_ERROR(SendPacket(control_.get(), request, fds));
  }
  ZygoteReply reply;
  if (const absl::Status status = ReceivePacket(control_.get(), &reply, kReplyTimeout); !status.ok()) {
    End();
    return absl::UnavailableError(absl::StrCat("the zygote is lost: ", status.message()));
  }
  if (reply.error != 0) {
    // Whether the machine is short of processes or this zygote alone: the next worker is forked by a new one.
    End();
    return absl::ResourceExhaustedError(absl::StrCat("fork a worker: ", strerror(reply.error)));
  }
  ++workers_;
  return WorkerId{pid_, reply.pid};
}

absl::Status Zygote::AllowMemory(const KernelSpec& spec) {
  {
    const common::MutexLock lock(&mutex_);
    if (aborted_) return absl::UnavailableError("the agent is ending");
  }
  if (group_ == nullptr) return absl::OkStatus();
  return group_->LimitMemory(workers_ * (spec.memory_limit_bytes + spec.OwnBytes() + kWorkerBytes));
}

absl::StatusOr<WorkerEnd> Zygote::Reap(const WorkerId& worker, absl::Duration grace) {
  if (worker.zygote != pid_) return absl::UnavailableError("the worker's zygote is lost");
  const ZygoteRequest request{.kind = ZygoteRequestKind::kReap,
                              .pid = worker.pid,
                              .grace_ms = static_cast<uint32_t>(absl::ToInt64Milliseconds(grace))};
  ZygoteReply reply;
  absl::Status status = SendPacket(control_.get(), request);
  if (status.ok()) status = ReceivePacket(control_.get(), &reply, kReplyTimeout + grace);
  if (!status.ok()) {
    End();  // and the worker with it
    return absl::UnavailableError(absl::StrCat("the zygote is lost: ", status.message()));
  }
  --workers_;
  return WorkerEnd{reply.status, reply.killed != 0};
}

}  // namespace tunefleet::device
