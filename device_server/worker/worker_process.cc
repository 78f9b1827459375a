#include "device_server/worker/worker_process.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "device_server/sandbox/seccomp_filter.h"
#include "device_server/worker/confine.h"
#include "device_server/worker/loaded_kernel.h"
#include "device_server/worker/priority.h"
#include "device_server/worker/sentinel.h"
#include "device_server/worker/thread_pool.h"
#include "device_server/worker/thread_state.h"
#include "device_server/worker/traps.h"

namespace tunefleet::device {
namespace {

constexpr int kReportFd = 3;
constexpr int kCountersFd = 4;

void Send(const WorkerReport& report) {
  if (write(kReportFd, &report, sizeof(report)) != sizeof(report)) _exit(1);
}

[[noreturn]] void Fail(const char* what) {
  WorkerReport report;
  report.kind = WorkerReportKind::kFailed;
  std::snprintf(report.text, sizeof(report.text), "%s: %s", what, strerror(errno));
  Send(report);
  _exit(1);
}

// The socket at 3, the memory counters at 4, nothing else but the null device at 0, 1 and 2. Gives the counters.
UniqueFd PlaceDescriptors(UniqueFd socket, UniqueFd counters) {
  const bool counted = counters.valid();
  const int socket_copy = fcntl(socket.get(), F_DUPFD, 512);
  const int counters_copy = fcntl(counted ? counters.get() : STDOUT_FILENO, F_DUPFD, 512);
  if (socket_copy < 0 || counters_copy < 0) _exit(1);
  dup2(socket_copy, kReportFd);
  dup2(counters_copy, kCountersFd);
  dup2(STDOUT_FILENO, STDERR_FILENO);
  if (syscall(SYS_close_range, kCountersFd + 1, ~0u, 0) != 0) {
    for (int fd = kCountersFd + 1; fd < 1024; ++fd) close(fd);
  }
  socket.Release();  // their numbers are closed or reused
  counters.Release();
  return counted ? UniqueFd(kCountersFd) : UniqueFd();
}

class Worker {
 public:
  // `limited`: the machine has limits of memory and processor time.
  Worker(bool reusable, bool limited, ThreadPool* pool, UniqueFd counters)
      : reusable_(reusable), limited_(limited), pool_(pool), counters_(std::move(counters)) {}

  WorkerReport Obey(const WorkerCommand& command) {
    WorkerReport report;
    report.kind = WorkerReportKind::kDone;
    report.serial = command.serial;
    SetTrappedCommand(command.serial);
    switch (command.kind) {
      case WorkerCommandKind::kOpen:
        Open(&report);
        break;
      case WorkerCommandKind::kLoad:
        kernel_->Load(command.has_prepare != 0, &report);
        break;
      case WorkerCommandKind::kPrepare:
        kernel_->Prepare(command.set, &report);
        break;
      case WorkerCommandKind::kRun:
        kernel_->Run(command, &report);
        break;
      case WorkerCommandKind::kSentinel:
        report.elapsed_ns = RunSentinel();
        break;
      case WorkerCommandKind::kClose:
        Close(&report);
        break;
    }
    return report;
  }

 private:
  void Open(WorkerReport* report) {
    Permit(Permission::kOpening);
    KernelSpec spec;
    std::vector<UniqueFd> files;
    if (!ReceiveNext(kReportFd, &spec, sizeof(spec), &files).ok()) _exit(0);  // the supervisor is gone
    LiftKernelLimits();
    kernel_.emplace(pool_->runtime());
    kernel_->Open(spec, std::move(files), report);
    const bool limited =
        LimitKernel(MappedBytes(counters_), spec.memory_limit_bytes, spec.cpu_seconds, /*for_good=*/!reusable_);
    if (limited_ && !limited && report->kind == WorkerReportKind::kDone) {
      report->kind = WorkerReportKind::kFailed;
      std::snprintf(report->text, sizeof(report->text), "limit the kernel's memory and processor time: refused");
    }
    Permit(Permission::kNothing);
  }

  void Close(WorkerReport* report) {
    pool_->OnEveryThread(ResetThreadState);
    kernel_->Unload(report);
    pool_->OnEveryThread(ResetThreadState);  // its destructors ran
    SetTrappedKernel({});
    kernel_.reset();
#ifdef __GLIBC__
    malloc_trim(0);  // what a kernel gave back counts for the next one again
#endif
    report->amount = MappedBytes(counters_);
  }

  const bool reusable_;
  const bool limited_;
  ThreadPool* const pool_;
  const UniqueFd counters_;
  std::optional<LoadedKernel> kernel_;
};

}  // namespace

void RunWorker(const WorkerSpec& spec, UniqueFd socket, int proc_fd, uint32_t sandbox) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  TrapContext context{.report_fd = kReportFd, .own_fds = kCountersFd + 1};
  if (getrandom(&context.cookie, sizeof(context.cookie), 0) != sizeof(context.cookie)) _exit(1);
  context.cookie &= 0x7fff'ffff'0000;  // a valid offset for mmap: whole pages of any size, under 2^47
  InstallTraps(context);
  UseTrapStack();
  UniqueFd counters = OpenMemoryCounters(proc_fd);
  sandbox |= DropRights();
  // Threads started from here on inherit it.
  const Scheduling scheduling = KeepPriority(spec.real_time != 0);
  // Static storage: it outlives every thread and handler of this process.
  static ThreadPool pool(spec.threads, {spec.cores, spec.num_cores}, UseTrapStack);
  counters = PlaceDescriptors(std::move(socket), std::move(counters));
  errno = EAGAIN;
  if (!pool.complete()) Fail("start the kernel's threads");
  if (pool.pinned()) sandbox |= kSandboxPinned;
  const uint64_t mapped_bytes = MappedBytes(counters);
  sandbox |= LimitResources(mapped_bytes);
  if (InstallSeccompFilter(kReportFd, context.cookie)) sandbox |= kSandboxSeccomp;

  WorkerReport ready;
  ready.kind = WorkerReportKind::kReady;
  ready.sandbox = sandbox;
  ready.scheduling = static_cast<uint32_t>(scheduling);
  ready.amount = mapped_bytes;
  Send(ready);
  static Worker worker(spec.reusable != 0, (sandbox & kSandboxLimits) != 0, &pool, std::move(counters));
  while (true) {
    WorkerCommand command;
    const ssize_t count = read(kReportFd, &command, sizeof(command));
    if (count < 0 && errno == EINTR) continue;
    if (count != sizeof(command)) _exit(0);  // the supervisor is gone
    Send(worker.Obey(command));
  }
}

}  // namespace tunefleet::device
