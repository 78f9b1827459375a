#include "device_server/worker/traps.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

namespace tunefleet::device {
namespace {

TrapContext g_context;
TrappedKernel g_kernel;
volatile uint32_t g_serial = 0;
volatile Permission g_permission = Permission::kNothing;

#if defined(SYS_mmap)
constexpr int kMapCall = SYS_mmap;
#else
constexpr int kMapCall = SYS_mmap2;  // of 32-bit Arm
#endif
constexpr size_t kTrapStackBytes = 64 << 10;
constexpr int kTrapExitStatus = 112;

// The registers of an interrupted system call.
struct CallRegisters {
  uint64_t arguments[6];
  decltype(ucontext_t::uc_mcontext)* machine;

  explicit CallRegisters(void* context) : machine(&static_cast<ucontext_t*>(context)->uc_mcontext) {
#if defined(__x86_64__)
    const int order[6] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
    for (int i = 0; i < 6; ++i) arguments[i] = static_cast<uint64_t>(machine->gregs[order[i]]);
#elif defined(__aarch64__)
    for (int i = 0; i < 6; ++i) arguments[i] = machine->regs[i];
#elif defined(__riscv)
    for (int i = 0; i < 6; ++i) arguments[i] = machine->__gregs[REG_A0 + i];
#else
    for (uint64_t& argument : arguments) argument = 0;
#endif
  }

  void SetResult([[maybe_unused]] int64_t value) {
#if defined(__x86_64__)
    machine->gregs[REG_RAX] = value;
#elif defined(__aarch64__)
    machine->regs[0] = static_cast<uint64_t>(value);
#elif defined(__riscv)
    machine->__gregs[REG_A0] = static_cast<uint64_t>(value);
#endif
  }
};

bool IsWriteFault([[maybe_unused]] void* context) {
#if defined(__x86_64__)
  return (static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
  return false;
#endif
}

[[noreturn]] void ReportAndEnd(WorkerReport report) {
  report.serial = g_serial;
  [[maybe_unused]] const ssize_t sent = write(g_context.report_fd, &report, sizeof(report));
  while (true) syscall(SYS_exit_group, kTrapExitStatus);
}

[[noreturn]] void EndForbidden(int call) {
  WorkerReport report;
  report.kind = WorkerReportKind::kForbidden;
  report.code = call;
  ReportAndEnd(report);
}

[[noreturn]] void EndWithoutMemory(uint64_t amount) {
  WorkerReport report;
  report.kind = WorkerReportKind::kNoMemory;
  report.amount = amount;
  ReportAndEnd(report);
}

[[noreturn]] void EndFaulted(int signal, uint64_t address, bool is_write) {
  WorkerReport report;
  report.kind = WorkerReportKind::kFault;
  report.code = signal;
  report.address = address;
  report.is_write = is_write;
  if (g_kernel.buffers != nullptr) report.buffer = g_kernel.buffers->Locate(address, &report.offset);
  ReportAndEnd(report);
}

// A call with the cookie as its last argument, which no call made here has a use for. Gives -errno.
int64_t TrustedCall(long number, const uint64_t* arguments) {
  const long result =
      syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], g_context.cookie);
  return result == -1 ? -errno : result;
}

int64_t GrowBreak(const uint64_t* arguments) {
  const int64_t result = TrustedCall(SYS_brk, arguments);
  const uint64_t now = static_cast<uint64_t>(result);
  if (arguments[0] <= now) return result;
  // Refused. The limit is one reason, a mapping in the way (harmless: malloc goes elsewhere) is another.
  const uint64_t amount = arguments[0] - now;
  const uint64_t probe[5] = {0, amount, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, ~uint64_t{0}};
  const int64_t mapped = TrustedCall(kMapCall, probe);
  if (mapped < 0 && mapped >= -4095) EndWithoutMemory(amount);
  munmap(reinterpret_cast<void*>(mapped), amount);
  return result;
}

void OnForbiddenCall(int, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  CallRegisters registers(context);
  const uint64_t* const arguments = registers.arguments;
  int64_t result = -ENOSYS;
  switch (info->si_syscall) {
    case kMapCall:
    case SYS_mremap:
      result = TrustedCall(info->si_syscall, arguments);
      // Our own code hears of it.
      if (result == -ENOMEM && g_permission != Permission::kOpening) {
        EndWithoutMemory(info->si_syscall == kMapCall ? arguments[1] : arguments[2]);
      }
      break;
    case SYS_brk:
      result = GrowBreak(arguments);
      break;
    case SYS_openat: {
      const char* const path = reinterpret_cast<const char*>(arguments[1]);
      if (g_permission != Permission::kLoading || std::strcmp(path, g_kernel.code_path) != 0) EndForbidden(SYS_openat);
      const uint64_t code[5] = {static_cast<uint64_t>(g_kernel.code_fd), 0, 0, 0, 0};
      result = TrustedCall(SYS_dup, code);
      break;
    }
    case SYS_close:
      if (g_permission == Permission::kNothing || static_cast<int>(arguments[0]) < g_context.own_fds) {
        EndForbidden(SYS_close);
      }
      result = TrustedCall(SYS_close, arguments);
      break;
    case SYS_prlimit64:
      if (static_cast<int>(arguments[0]) != 0) EndForbidden(SYS_prlimit64);  // of another process
      [[fallthrough]];
    case SYS_recvmsg:
      if (g_permission != Permission::kOpening) EndForbidden(info->si_syscall);
      result = TrustedCall(info->si_syscall, arguments);
      break;
    case SYS_tgkill:  // abort(), which is a crash like any other
      if (static_cast<int>(arguments[2]) == SIGABRT && static_cast<int>(arguments[0]) == getpid()) {
        EndFaulted(SIGABRT, 0, false);
      }
      EndForbidden(SYS_tgkill);
    default:
      EndForbidden(info->si_syscall);
  }
  registers.SetResult(result);
  errno = saved_errno;
}

void OnFault(int signal, siginfo_t* info, void* context) {
  EndFaulted(signal, reinterpret_cast<uintptr_t>(info->si_addr), IsWriteFault(context));
}

}  // namespace

void InstallTraps(const TrapContext& context) {
  g_context = context;
  struct sigaction action {};
  sigemptyset(&action.sa_mask);
  // No SA_NODEFER: a trap inside a handler ends the process at once, which is the safe way out.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  action.sa_sigaction = OnForbiddenCall;
  sigaction(SIGSYS, &action, nullptr);
  action.sa_sigaction = OnFault;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP}) sigaction(signal, &action, nullptr);
}

void UseTrapStack() {
  stack_t stack{};
  stack.ss_size = kTrapStackBytes;
  stack.ss_sp = mmap(nullptr, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack.ss_sp != MAP_FAILED) sigaltstack(&stack, nullptr);
}

void SetTrappedKernel(const TrappedKernel& kernel) { g_kernel = kernel; }
void SetTrappedCommand(uint32_t serial) { g_serial = serial; }
void Permit(Permission permission) { g_permission = permission; }

}  // namespace tunefleet::device
