#include "tuner/fleet/agent_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/child_process.h"
#include "common/status_macros.h"

namespace tunefleet::tuner {
namespace {

constexpr int kLifelineDescriptor = 3;
constexpr absl::Duration kGlance = absl::Milliseconds(100);
constexpr absl::Duration kFarewell = absl::Seconds(10);
constexpr size_t kErrorTailBytes = 1000;
constexpr size_t kLastLines = 3;

}  // namespace

AgentProcess::AgentProcess(std::vector<std::string> arguments, std::vector<int> cores)
    : arguments_(std::move(arguments)), cores_(std::move(cores)) {
  arguments_.push_back(absl::StrCat("--lifeline-fd=", kLifelineDescriptor));
}

absl::StatusOr<std::unique_ptr<AgentProcess>> AgentProcess::Start(std::vector<std::string> arguments,
                                                                  std::vector<int> cores) {
  std::unique_ptr<AgentProcess> agent(new AgentProcess(std::move(arguments), std::move(cores)));
  agent->errors_ = memfd_create("agent-errors", MFD_CLOEXEC);
  if (agent->errors_ < 0 || fcntl(agent->errors_, F_SETFL, O_APPEND) != 0 || pipe2(agent->lifeline_, O_CLOEXEC) != 0) {
    return absl::InternalError(absl::StrCat("start agent: ", strerror(errno)));
  }
  TF_ASSIGN_OR_RETURN(const pid_t pid, agent->Launch());
  {
    common::MutexLock lock(&agent->mutex_);
    agent->pid_ = pid;
  }
  agent->watcher_ = std::thread([a = agent.get()] { a->Watch(); });
  return agent;
}

AgentProcess::~AgentProcess() {
  {
    common::MutexLock lock(&mutex_);
    closing_ = true;
  }
  if (watcher_.joinable()) watcher_.join();
  if (lifeline_[1] >= 0) close(lifeline_[1]);
  if (lifeline_[0] >= 0) close(lifeline_[0]);
  if (pid_ > 0 && !common::WaitChild(pid_, kFarewell).ok()) common::KillChild(pid_);
  if (errors_ >= 0) close(errors_);
}

absl::StatusOr<pid_t> AgentProcess::Launch() {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  common::ChildOptions child;
  child.arguments = arguments_;
  child.cores = cores_;
  child.descriptors = {{null, 0}, {errors_, 1}, {errors_, 2}, {lifeline_[0], kLifelineDescriptor}};
  absl::StatusOr<pid_t> pid = common::StartChild(child);
  close(null);
  return pid;
}

void AgentProcess::Watch() {
  for (int restarts = 0;;) {
    pid_t pid = -1;
    {
      common::MutexLock lock(&mutex_);
      if (closing_) return;
      pid = pid_;
    }
    const absl::StatusOr<int> ended = common::WaitChild(pid, kGlance);
    if (absl::IsDeadlineExceeded(ended.status())) continue;
    const std::string how = ended.ok() ? common::DescribeWaitStatus(*ended) : std::string(ended.status().message());
    absl::StatusOr<pid_t> next = absl::UnavailableError(absl::StrCat("it died ", kMaxRestarts + 1, " times"));
    if (restarts++ < kMaxRestarts) next = Launch();
    common::MutexLock lock(&mutex_);
    pid_ = next.value_or(-1);
    if (next.ok()) continue;
    health_ = absl::UnavailableError(
        absl::StrCat("the device agent ended with ", how, " (", next.status().message(), "): ", LastWords()));
    return;
  }
}

absl::Status AgentProcess::Health() {
  common::MutexLock lock(&mutex_);
  return health_;
}

std::string AgentProcess::LastWords() const {
  struct stat info {};
  if (fstat(errors_, &info) != 0 || info.st_size == 0) return "it said nothing";
  std::string tail(std::min<size_t>(info.st_size, kErrorTailBytes), '\0');
  const ssize_t count = pread(errors_, tail.data(), tail.size(), info.st_size - static_cast<off_t>(tail.size()));
  tail.resize(count > 0 ? count : 0);
  std::vector<std::string> lines = absl::StrSplit(absl::StripAsciiWhitespace(tail), '\n');
  if (lines.size() > kLastLines) lines.erase(lines.begin(), lines.end() - kLastLines);
  return absl::StrJoin(lines, " / ");
}

}  // namespace tunefleet::tuner
