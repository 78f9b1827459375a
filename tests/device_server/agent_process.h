// The real tunefleet-device as a child of the test.
#ifndef TUNEFLEET_TESTS_DEVICE_SERVER_AGENT_PROCESS_H_
#define TUNEFLEET_TESTS_DEVICE_SERVER_AGENT_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "device_server/sandbox/unique_fd.h"

namespace tunefleet::device {

class AgentProcess {
 public:
  // With --lifeline-fd and these arguments.
  explicit AgentProcess(std::vector<std::string> arguments);
  // This file of the program, without a lifeline.
  AgentProcess(std::vector<std::string> arguments, const std::string& program);
  ~AgentProcess();  // kills it if need be

  pid_t pid() const { return pid_; }
  void Signal(int signal);
  void CloseLifeline() { lifeline_.Reset(); }
  // Its exit status as the shell would say it; fails the test after half a minute.
  int WaitForExit();

 private:
  pid_t pid_ = -1;
  UniqueFd lifeline_;
};

// Processes that run `program` and belong to no one else: those whose parent, or its parent, is `pid`.
std::vector<pid_t> DescendantsOf(pid_t pid);

bool IsAlive(pid_t pid);

// What a command of the shell prints.
std::string OutputOf(const std::string& command);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_TESTS_DEVICE_SERVER_AGENT_PROCESS_H_
