#include "common/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/status_macros.h"

namespace tunefleet::common {
namespace {

struct Failure {
  int step;
  int error;
};
constexpr const char* kSteps[] = {"set up descriptors", "set limits", "set cores", "run"};

// The C libraries that have such names do not agree on how to ask for them.
constexpr std::pair<int, const char*> kSignalNames[] = {
    {SIGABRT, "SIGABRT"}, {SIGALRM, "SIGALRM"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},   {SIGHUP, "SIGHUP"},
    {SIGILL, "SIGILL"},   {SIGINT, "SIGINT"},   {SIGKILL, "SIGKILL"}, {SIGPIPE, "SIGPIPE"}, {SIGQUIT, "SIGQUIT"},
    {SIGSEGV, "SIGSEGV"}, {SIGSYS, "SIGSYS"},   {SIGTERM, "SIGTERM"}, {SIGTRAP, "SIGTRAP"}, {SIGUSR1, "SIGUSR1"},
    {SIGUSR2, "SIGUSR2"}, {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"}};

// Ends the child without the C library's or a sanitizer's clean-up, whose locks another thread may have held at the
// fork.
[[noreturn]] void EndChild() {
  for (;;) syscall(SYS_exit_group, 127);
}

void SetLimit(decltype(RLIMIT_AS) resource, uint64_t bytes, int report) {
  if (bytes == 0) return;
  const auto most = static_cast<rlim_t>(std::min<uint64_t>(bytes, RLIM_INFINITY));
  const rlimit limit{most, most};
  if (setrlimit(resource, &limit) != 0) {
    const Failure failure{1, errno};
    [[maybe_unused]] const ssize_t written = write(report, &failure, sizeof(failure));
    EndChild();
  }
}

// Runs in the child between fork and exec: system calls only, no memory is allocated. `spare` holds the wanted
// descriptors above every target number.
[[noreturn]] void BecomeProgram(const ChildOptions& options, char* const* argv, const cpu_set_t& cores, int* spare,
                                int report, pid_t parent) {
  const auto fail = [&report](int step) {
    const Failure failure{step, errno};
    [[maybe_unused]] const ssize_t written = write(report, &failure, sizeof(failure));
    EndChild();
  };
  setpgid(0, 0);
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (options.die_with_thread) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) EndChild();
  }
  int top = 3;
  for (const auto& [ours, theirs] : options.descriptors) top = std::max(top, theirs + 1);
  if ((report = fcntl(report, F_DUPFD_CLOEXEC, top)) < 0) EndChild();
  for (size_t i = 0; i < options.descriptors.size(); ++i) {
    if ((spare[i] = fcntl(options.descriptors[i].first, F_DUPFD_CLOEXEC, top)) < 0) fail(0);
  }
  syscall(SYS_close_range, 3u, ~0u, 4u /* CLOSE_RANGE_CLOEXEC */);
  for (size_t i = 0; i < options.descriptors.size(); ++i) {
    if (dup2(spare[i], options.descriptors[i].second) < 0) fail(0);
  }
  if (options.nice != 0) setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + options.nice);
  if (!options.cores.empty() && sched_setaffinity(0, sizeof(cores), &cores) != 0) fail(2);
  SetLimit(RLIMIT_FSIZE, options.file_bytes, report);
  SetLimit(RLIMIT_AS, options.address_space_bytes, report);
  execv(argv[0], argv);
  fail(3);
  EndChild();
}

}  // namespace

absl::StatusOr<pid_t> StartChild(const ChildOptions& options) {
  std::vector<char*> argv;
  for (const std::string& argument : options.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  cpu_set_t cores;
  CPU_ZERO(&cores);
  for (const int core : options.cores) CPU_SET(core, &cores);
  std::vector<int> spare(options.descriptors.size());
  int report[2];
  if (pipe2(report, O_CLOEXEC) != 0) return absl::InternalError(absl::StrCat("pipe: ", strerror(errno)));
  const pid_t parent = getpid();
  // A fork without the handlers that libraries registered for one.
  const pid_t pid = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (pid == 0) BecomeProgram(options, argv.data(), cores, spare.data(), report[1], parent);
  const int fork_error = errno;
  close(report[1]);
  Failure failure{};
  ssize_t count = 0;
  if (pid > 0) {
    do {
      count = read(report[0], &failure, sizeof(failure));
    } while (count < 0 && errno == EINTR);
  }
  close(report[0]);
  if (pid < 0) return absl::InternalError(absl::StrCat("fork: ", strerror(fork_error)));
  if (count == 0) return pid;
  waitpid(pid, nullptr, 0);
  const std::string message =
      absl::StrCat("start ", options.arguments[0], ": ", kSteps[failure.step], ": ", strerror(failure.error));
  return failure.error == ENOENT ? absl::NotFoundError(message) : absl::InternalError(message);
}

absl::StatusOr<int> WaitChild(pid_t pid, absl::Duration timeout) {
  const absl::Time deadline = MonotonicClock().Now() + timeout;
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  for (;;) {
    int status = 0;
    const pid_t done = waitpid(pid, &status, WNOHANG);
    if (done == pid || (done < 0 && errno != EINTR)) {
      if (handle >= 0) close(handle);
      if (done == pid) return status;
      return absl::InternalError(absl::StrCat("wait for process ", pid, ": ", strerror(errno)));
    }
    const absl::Duration left = deadline - MonotonicClock().Now();
    if (left <= absl::ZeroDuration()) {
      if (handle >= 0) close(handle);
      return absl::DeadlineExceededError(absl::StrCat("process ", pid, " still runs"));
    }
    pollfd entry{handle, POLLIN, 0};
    const int64_t most = handle >= 0 ? INT_MAX : 20;  // without a handle: look again soon
    poll(&entry, handle >= 0 ? 1 : 0, static_cast<int>(std::min<int64_t>(absl::ToInt64Milliseconds(left) + 1, most)));
  }
}

int KillChild(pid_t pid) {
  kill(-pid, SIGKILL);
  kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string SignalName(int signal) {
  for (const auto& [number, name] : kSignalNames) {
    if (number == signal) return name;
  }
  return absl::StrCat("signal ", signal);
}

std::string DescribeWaitStatus(int status) {
  if (WIFSIGNALED(status)) return absl::StrCat("signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)), ")");
  return absl::StrCat("exit status ", WEXITSTATUS(status));
}

absl::StatusOr<std::string> OwnProgram() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  if (size <= 0) return absl::InternalError(absl::StrCat("readlink /proc/self/exe: ", strerror(errno)));
  const std::string executable(path, static_cast<size_t>(size));
  const char* const launched = std::getenv("TUNEFLEET_PROGRAM");
  const bool is_loader = absl::StartsWith(executable.substr(executable.rfind('/') + 1), "ld-linux");
  return is_loader && launched != nullptr ? launched : executable;
}

absl::StatusOr<std::string> SiblingProgram(const std::string& name) {
  TF_ASSIGN_OR_RETURN(const std::string self, OwnProgram());
  std::string program = absl::StrCat(self.substr(0, self.rfind('/') + 1), name);
  if (access(program.c_str(), X_OK) != 0) {
    return absl::NotFoundError(
        absl::StrCat("program ", name, " is not installed beside ", self, " (expected ", program, ")"));
  }
  return program;
}

}  // namespace tunefleet::common
