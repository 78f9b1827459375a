// The exec'd device agent of an embedded fleet: started, kept alive, ended through its lifeline.
#ifndef TUNEFLEET_TUNER_FLEET_AGENT_PROCESS_H_
#define TUNEFLEET_TUNER_FLEET_AGENT_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/mutex.h"

namespace tunefleet::tuner {

// Thread-safe. One thread watches the process and starts it again when it dies, at most kMaxRestarts times.
class AgentProcess {
 public:
  static constexpr int kMaxRestarts = 5;

  // `arguments` begin with the program; "--lifeline-fd=N" is appended. It may run on `cores` (empty: as its parent).
  // Errors: NOT_FOUND (no such program), INTERNAL.
  static absl::StatusOr<std::unique_ptr<AgentProcess>> Start(std::vector<std::string> arguments,
                                                             std::vector<int> cores);
  // Closes the lifeline, waits for the agent's end, and kills it when that takes too long.
  ~AgentProcess();
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;

  // UNAVAILABLE, with the agent's last words, once it died too often.
  absl::Status Health();
  // The last lines that the agent wrote to its standard error, on one line.
  std::string LastWords() const;

 private:
  AgentProcess(std::vector<std::string> arguments, std::vector<int> cores);
  absl::StatusOr<pid_t> Launch();
  void Watch();

  std::vector<std::string> arguments_;
  const std::vector<int> cores_;
  int lifeline_[2] = {-1, -1};  // the agent reads, we hold the writing end
  int errors_ = -1;             // the agent's standard error, a memory file
  common::Mutex mutex_;
  pid_t pid_ ABSL_GUARDED_BY(mutex_) = -1;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status health_ ABSL_GUARDED_BY(mutex_);
  std::thread watcher_;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_FLEET_AGENT_PROCESS_H_
