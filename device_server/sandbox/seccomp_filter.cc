#include "device_server/sandbox/seccomp_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <vector>

namespace tunefleet::device {

#if defined(__x86_64__) || defined(__aarch64__) || (defined(__riscv) && __riscv_xlen == 64)
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t kArchitecture = AUDIT_ARCH_RISCV64;
#endif

constexpr uint32_t ArgumentLow(int index) {
  return offsetof(seccomp_data, args) + static_cast<uint32_t>(index) * sizeof(uint64_t);
}
constexpr uint32_t ArgumentHigh(int index) { return ArgumentLow(index) + sizeof(uint32_t); }

// Each rule is a block that ends in a verdict; the system call number is loaded again before the next one.
class FilterBuilder {
 public:
  FilterBuilder() {
    Load(offsetof(seccomp_data, arch));
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
    Return(SECCOMP_RET_KILL_PROCESS);
    Load(offsetof(seccomp_data, nr));
  }

  void Allow(uint32_t call) {
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    Return(SECCOMP_RET_ALLOW);
  }

  // Allowed when the 64-bit argument equals `value`, else trapped.
  void AllowIfArgument(uint32_t call, int argument, uint64_t value) {
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 6));
    EqualOrTrap(argument, value);
  }

  // The same, where the first argument, which is a process, is 0 too: the caller itself.
  void AllowOnItselfIfArgument(uint32_t call, int argument, uint64_t value) {
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 9));
    Load(ArgumentLow(0));  // the operating system looks at no more of it
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0));
    Return(SECCOMP_RET_TRAP);
    EqualOrTrap(argument, value);
  }

  // A mapping of a file, or one made with the cookie as its offset.
  void AllowMapping(uint32_t call, uint64_t cookie) {
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 9));
    Load(ArgumentLow(3));
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 1, 0));
    Return(SECCOMP_RET_ALLOW);
    EqualOrTrap(5, cookie);
  }

  std::vector<sock_filter> Finish() {
    Return(SECCOMP_RET_TRAP);
    return code_;
  }

 private:
  void Load(uint32_t offset) { code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)); }
  void Return(uint32_t verdict) { code_.push_back(BPF_STMT(BPF_RET | BPF_K, verdict)); }
  // Six instructions, both verdicts final.
  void EqualOrTrap(int argument, uint64_t value) {
    Load(ArgumentLow(argument));
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(value), 0, 3));
    Load(ArgumentHigh(argument));
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(value >> 32), 0, 1));
    Return(SECCOMP_RET_ALLOW);
    Return(SECCOMP_RET_TRAP);
  }

  std::vector<sock_filter> code_;
};

}  // namespace

bool SeccompAvailable() {
  uint32_t action = SECCOMP_RET_TRAP;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool InstallSeccompFilter(int report_fd, uint64_t cookie) {
  FilterBuilder filter;
  for (const uint32_t call :
       {__NR_read, __NR_pread64, __NR_fstat, __NR_newfstatat, __NR_munmap, __NR_mprotect, __NR_madvise, __NR_futex,
        __NR_sched_yield, __NR_clock_gettime, __NR_exit, __NR_exit_group, __NR_rt_sigreturn, __NR_rt_sigprocmask,
        __NR_restart_syscall, __NR_getrandom, __NR_gettid, __NR_getpid, __NR_getrusage}) {
    filter.Allow(call);
  }
  filter.AllowIfArgument(__NR_write, 0, static_cast<uint32_t>(report_fd));
  filter.AllowMapping(__NR_mmap, cookie);
  for (const uint32_t call : {__NR_brk, __NR_mremap, __NR_dup, __NR_close, __NR_recvmsg}) {
    filter.AllowIfArgument(call, 5, cookie);
  }
  filter.AllowOnItselfIfArgument(__NR_prlimit64, 5, cookie);
  std::vector<sock_filter> code = filter.Finish();
  sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

#else

bool SeccompAvailable() { return false; }
bool InstallSeccompFilter(int, uint64_t) { return false; }

#endif

}  // namespace tunefleet::device
