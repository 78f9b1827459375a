#include "device_server/worker/worker_process.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include "common/kernel_abi.h"
#include "device_server/sandbox/seccomp_filter.h"
#include "device_server/worker/confine.h"
#include "device_server/worker/mapped_buffers.h"
#include "device_server/worker/poison.h"
#include "device_server/worker/priority.h"
#include "device_server/worker/sentinel.h"
#include "device_server/worker/thread_pool.h"
#include "device_server/worker/traps.h"

namespace tunefleet::device {
namespace {

constexpr int kReportFd = 3;
constexpr int kCodeFd = 4;
constexpr char kCodePath[] = "/proc/self/fd/4";

uint64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

// Of all threads of the process.
uint64_t Preemptions() {
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<uint64_t>(usage.ru_nivcsw) : 0;
}

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

// The socket at 3, the code at 4, nothing else but the null device at 0, 1 and 2.
void PlaceDescriptors(const std::vector<UniqueFd>& fds) {
  const int socket = fcntl(fds[0].get(), F_DUPFD, 512);
  const int code = fcntl(fds[1].get(), F_DUPFD, 512);
  if (socket < 0 || code < 0) _exit(1);
  dup2(socket, kReportFd);
  dup2(code, kCodeFd);
  dup2(STDOUT_FILENO, STDERR_FILENO);
  if (syscall(SYS_close_range, kCodeFd + 1, ~0u, 0) != 0) {
    for (int fd = kCodeFd + 1; fd < 1024; ++fd) close(fd);
  }
}

// Memory that the segments of a shared object take, by its own account; 0 for what is no ELF file of this machine's
// word size.
uint64_t SegmentBytes(int fd) {
  constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  ElfW(Ehdr) header;
  if (pread(fd, &header, sizeof(header), 0) != sizeof(header)) return 0;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != kClass) return 0;
  uint64_t bytes = 0;
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) segment;
    const uint64_t at = header.e_phoff + i * sizeof(segment);
    if (pread(fd, &segment, sizeof(segment), static_cast<off_t>(at)) != sizeof(segment)) break;
    if (segment.p_type == PT_LOAD && __builtin_add_overflow(bytes, segment.p_memsz, &bytes)) return ~uint64_t{0};
  }
  return bytes;
}

class Worker {
 public:
  Worker(MappedBuffers* buffers, const tf_runtime* runtime, uint64_t memory_limit_bytes)
      : buffers_(buffers), runtime_(runtime), memory_limit_bytes_(memory_limit_bytes) {}

  WorkerReport Obey(const WorkerCommand& command) {
    const uint64_t begin = NowNs();
    WorkerReport report;
    report.kind = WorkerReportKind::kDone;
    switch (command.kind) {
      case WorkerCommandKind::kLoad:
        Load(command.has_prepare != 0, &report);
        report.elapsed_ns = NowNs() - begin;
        break;
      case WorkerCommandKind::kPrepare:
        PoisonScratch();
        report.code = prepare_(buffers_->buffers(command.set), buffers_->workspace(), runtime_);
        report.elapsed_ns = NowNs() - begin;
        break;
      case WorkerCommandKind::kRun:
        if (!has_run_[command.set]) PoisonScratch();  // of this run the outputs are judged
        Run(command, &report);
        if (!std::exchange(has_run_[command.set], true)) CleanRegisters();
        break;
      case WorkerCommandKind::kSentinel:
        report.elapsed_ns = RunSentinel();
        break;
    }
    return report;
  }

 private:
  void Load(bool needs_prepare, WorkerReport* report) {
    // The loader does not say why it could not map a segment, so what is too large is found beforehand.
    report->amount = SegmentBytes(kCodeFd);
    if (report->amount > memory_limit_bytes_) {
      report->kind = WorkerReportKind::kNoMemory;
      return;
    }
    BeginLoading();
    void* const library = dlopen(kCodePath, RTLD_NOW | RTLD_LOCAL);
    EndLoading();
    if (library != nullptr) {
      run_ = reinterpret_cast<tf_entry>(dlsym(library, TF_RUN_SYMBOL));
      prepare_ = reinterpret_cast<tf_entry>(dlsym(library, TF_PREPARE_SYMBOL));
      if (run_ != nullptr && (prepare_ != nullptr || !needs_prepare)) return;
    }
    const char* const error = dlerror();
    report->kind = WorkerReportKind::kFailed;
    std::snprintf(report->text, sizeof(report->text), "%s",
                  library != nullptr ? "an entry point is missing"
                  : error != nullptr ? error
                                     : "unknown error");
  }

  void Run(const WorkerCommand& command, WorkerReport* report) {
    const uint64_t sentinel_ns = RunSentinel();
    const uint64_t preemptions = Preemptions();
    switch (command.mode) {
      case RunMode::kWarm:
        RunWarm(command, report);
        break;
      case RunMode::kCold:
        RunCold(command, report);
        break;
      case RunMode::kRotating:
        RunRotating(command, report);
        break;
    }
    report->preemptions = static_cast<uint32_t>(Preemptions() - preemptions);
    report->sentinel_ns = (sentinel_ns + RunSentinel()) / 2;
  }

  void RunWarm(const WorkerCommand& command, WorkerReport* report) {
    void* const* const buffers = buffers_->buffers(command.set);
    void* const workspace = buffers_->workspace();
    const uint64_t begin = NowNs();
    for (uint32_t i = 0; i < command.runs; ++i) report->code |= run_(buffers, workspace, runtime_);
    report->elapsed_ns = NowNs() - begin;
  }

  void RunCold(const WorkerCommand& command, WorkerReport* report) {
    void* const* const buffers = buffers_->buffers(command.set);
    void* const workspace = buffers_->workspace();
    for (uint32_t i = 0; i < command.runs; ++i) {
      buffers_->FlushFromCaches(command.set);
      const uint64_t begin = NowNs();
      report->code |= run_(buffers, workspace, runtime_);
      report->elapsed_ns += NowNs() - begin;
    }
  }

  void RunRotating(const WorkerCommand& command, WorkerReport* report) {
    if (!copies_filled_ && !buffers_->FillCopies()) Fail("fill the copies of the buffers");
    copies_filled_ = true;
    void* const workspace = buffers_->workspace();
    const uint32_t copies = buffers_->num_copies();
    const uint64_t begin = NowNs();
    for (uint32_t i = 0; i < command.runs; ++i) {
      report->code |= run_(buffers_->copy(next_copy_), workspace, runtime_);
      next_copy_ = next_copy_ + 1 == copies ? 0 : next_copy_ + 1;
    }
    report->elapsed_ns = NowNs() - begin;
  }

  MappedBuffers* const buffers_;
  const tf_runtime* const runtime_;
  const uint64_t memory_limit_bytes_;
  tf_entry run_ = nullptr;
  tf_entry prepare_ = nullptr;
  bool copies_filled_ = false;
  uint32_t next_copy_ = 0;
  bool has_run_[kMaxSets] = {};
};

}  // namespace

void RunWorker(const WorkerSpec& spec, std::vector<UniqueFd> fds, int proc_fd, uint32_t sandbox) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Static storage: both outlive every thread and handler of this process.
  static MappedBuffers buffers;
  std::vector<int> files;
  for (size_t i = 2; i < fds.size(); ++i) files.push_back(fds[i].get());
  const bool mapped = buffers.Map(spec, files);
  const int map_error = errno;

  TrapContext context{.report_fd = kReportFd, .code_fd = kCodeFd, .code_path = kCodePath, .buffers = &buffers};
  if (getrandom(&context.cookie, sizeof(context.cookie), 0) != sizeof(context.cookie)) _exit(1);
  context.cookie &= 0x7fff'ffff'0000;  // a valid offset for mmap: whole pages of any size, under 2^47
  InstallTraps(context);
  UseTrapStack();
  const UniqueFd memory_counters = OpenMemoryCounters(proc_fd);
  sandbox |= DropRights();
  // Threads started from here on inherit it.
  const Scheduling scheduling = KeepPriority(spec.real_time != 0);
  static ThreadPool pool(spec.threads, {spec.cores, spec.num_cores}, UseTrapStack);
  const uint64_t mapped_bytes = MappedBytes(memory_counters);
  PlaceDescriptors(fds);
  for (UniqueFd& fd : fds) fd.Release();  // their numbers are closed or reused
  errno = map_error;
  if (!mapped) Fail("map the buffers");
  errno = EAGAIN;
  if (!pool.complete()) Fail("start the kernel's threads");
  sandbox |= LimitResources(mapped_bytes, spec.memory_limit_bytes, spec.cpu_seconds);
  if (InstallSeccompFilter(kReportFd, context.cookie)) sandbox |= kSandboxSeccomp;

  WorkerReport ready;
  ready.kind = WorkerReportKind::kReady;
  ready.sandbox = sandbox;
  ready.scheduling = static_cast<uint32_t>(scheduling);
  Send(ready);
  Worker worker(&buffers, pool.runtime(), spec.memory_limit_bytes);
  while (true) {
    WorkerCommand command;
    const ssize_t count = read(kReportFd, &command, sizeof(command));
    if (count < 0 && errno == EINTR) continue;
    if (count != sizeof(command)) _exit(0);  // the supervisor is gone
    if (command.kind == WorkerCommandKind::kPrepare) buffers.SetPreparedWritable(command.set, true);
    const WorkerReport report = worker.Obey(command);
    if (command.kind == WorkerCommandKind::kPrepare) buffers.SetPreparedWritable(command.set, false);
    Send(report);
  }
}

}  // namespace tunefleet::device
