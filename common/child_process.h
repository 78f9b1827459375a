// Starts a program as a child process with exactly the descriptors, cores and limits it is given.
//
// The child runs in a process group of its own (a Ctrl-C at the terminal reaches only its parent), with default signal
// dispositions and an empty signal mask. Safe in programs with threads.
#ifndef TUNEFLEET_COMMON_CHILD_PROCESS_H_
#define TUNEFLEET_COMMON_CHILD_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tunefleet::common {

struct ChildOptions {
  std::vector<std::string> arguments;            // the program's path first
  std::vector<std::pair<int, int>> descriptors;  // {ours, the child's}; all others but 0, 1 and 2 are closed
  std::vector<int> cores;                        // may run on these alone; empty: as its parent
  int nice = 0;                                  // added to the parent's
  uint64_t address_space_bytes = 0;              // RLIMIT_AS; 0: as its parent
  uint64_t file_bytes = 0;                       // RLIMIT_FSIZE; 0: as its parent
  bool die_with_thread = false;                  // SIGKILL when the thread that calls StartChild ends
};

// Returns once the program runs. Errors: NOT_FOUND (no such program), INTERNAL (the system refused).
absl::StatusOr<pid_t> StartChild(const ChildOptions& options);

// Waits for the end of the child and reaps it: its wait status. Errors: DEADLINE_EXCEEDED (it still runs).
absl::StatusOr<int> WaitChild(pid_t pid, absl::Duration timeout);

// Ends the child's whole process group with SIGKILL and reaps the child: its wait status.
int KillChild(pid_t pid);

// "SIGSEGV"; "signal 40" for those without a name, or whose name is hardly ever needed.
std::string SignalName(int signal);

// "exit status 3", "signal 11 (Segmentation fault)".
std::string DescribeWaitStatus(int status);

// The path of the running program, to start it anew. Of one that a bundle's launcher started (deploy/launcher.c), which
// is the loader to the kernel, the launcher's: it is in TUNEFLEET_PROGRAM. Errors: INTERNAL (no /proc).
absl::StatusOr<std::string> OwnProgram();

// The path of a program that is installed beside the running one. Errors: NOT_FOUND.
absl::StatusOr<std::string> SiblingProgram(const std::string& name);

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_CHILD_PROCESS_H_
