#include "tests/device_server/agent_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/child_process.h"

namespace tunefleet::device {
namespace {

constexpr int kLifelineFd = 5;
constexpr absl::Duration kPatience = absl::Seconds(30);

// The parent of each process of the machine.
std::map<pid_t, pid_t> Parents() {
  std::map<pid_t, pid_t> parents;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    pid_t pid = 0;
    if (!absl::SimpleAtoi(entry.path().filename().string(), &pid)) continue;
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const size_t after_name = stat.rfind(')');
    char state = 0;
    pid_t parent = 0;
    if (after_name != std::string::npos && sscanf(stat.c_str() + after_name + 1, " %c %d", &state, &parent) == 2 &&
        state != 'Z') {
      parents[pid] = parent;
    }
  }
  return parents;
}

}  // namespace

AgentProcess::AgentProcess(std::vector<std::string> arguments) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd theirs(ends[0]);
  lifeline_.Reset(ends[1]);
  common::ChildOptions options;
  options.arguments = {TUNEFLEET_DEVICE_PROGRAM, absl::StrCat("--lifeline-fd=", kLifelineFd)};
  options.arguments.insert(options.arguments.end(), arguments.begin(), arguments.end());
  options.descriptors = {{theirs.get(), kLifelineFd}};
  const absl::StatusOr<pid_t> pid = common::StartChild(options);
  EXPECT_TRUE(pid.ok()) << pid.status();
  pid_ = pid.value_or(-1);
}

AgentProcess::AgentProcess(std::vector<std::string> arguments, const std::string& program) {
  common::ChildOptions options;
  options.arguments = std::move(arguments);
  options.arguments.insert(options.arguments.begin(), program);
  const absl::StatusOr<pid_t> pid = common::StartChild(options);
  EXPECT_TRUE(pid.ok()) << pid.status();
  pid_ = pid.value_or(-1);
}

AgentProcess::~AgentProcess() {
  if (pid_ > 0) common::KillChild(pid_);
}

void AgentProcess::Signal(int signal) { kill(pid_, signal); }

int AgentProcess::WaitForExit() {
  const absl::StatusOr<int> status = common::WaitChild(pid_, kPatience);
  EXPECT_TRUE(status.ok()) << "the agent did not end";
  if (!status.ok()) return -1;
  pid_ = -1;
  return WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
}

std::vector<pid_t> DescendantsOf(pid_t pid) {
  const std::map<pid_t, pid_t> parents = Parents();
  std::vector<pid_t> found;
  for (const auto& [child, parent] : parents) {
    for (pid_t ancestor = parent; ancestor > 1;) {
      if (ancestor == pid) {
        found.push_back(child);
        break;
      }
      const auto next = parents.find(ancestor);
      ancestor = next == parents.end() ? 0 : next->second;
    }
  }
  return found;
}

bool IsAlive(pid_t pid) { return Parents().contains(pid); }

std::string OutputOf(const std::string& command) {
  std::string output;
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> part;
  while (const size_t count = fread(part.data(), 1, part.size(), pipe)) output.append(part.data(), count);
  pclose(pipe);
  return output;
}

}  // namespace tunefleet::device
