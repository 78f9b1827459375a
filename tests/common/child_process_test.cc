#include "common/child_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

namespace tunefleet::common {
namespace {

std::string RunShell(const std::string& script, ChildOptions options = {}) {
  options.arguments = {"/bin/sh", "-c", script};
  const absl::StatusOr<pid_t> pid = StartChild(options);
  if (!pid.ok()) return std::string(pid.status().message());
  const absl::StatusOr<int> status = WaitChild(*pid, absl::Minutes(1));
  return status.ok() ? DescribeWaitStatus(*status) : std::string(status.status().message());
}

int OpenDescriptors() {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

TEST(ChildProcessTest, EndIsDescribed) {
  EXPECT_EQ(RunShell("exit 3"), "exit status 3");
  EXPECT_EQ(RunShell("kill -9 $$").substr(0, 8), "signal 9");
}

TEST(ChildProcessTest, SignalsHaveTheirNames) {
  EXPECT_EQ(SignalName(SIGSEGV), "SIGSEGV");
  EXPECT_EQ(SignalName(SIGSYS), "SIGSYS");
  EXPECT_EQ(SignalName(64), "signal 64");
}

TEST(ChildProcessTest, MissingProgramIsNotFoundWhateverNumbersTheChildsDescriptorsHave) {
  // Some of the numbers are those that the parent uses while it starts the child.
  ChildOptions options;
  options.arguments = {"/nowhere/program"};
  for (int theirs = 3; theirs < 40; ++theirs) options.descriptors.emplace_back(STDIN_FILENO, theirs);
  const absl::StatusOr<pid_t> pid = StartChild(options);
  EXPECT_TRUE(absl::IsNotFound(pid.status())) << pid.status();
  if (pid.ok()) KillChild(*pid);
}

TEST(ChildProcessTest, ChildHasTheDescriptorsItIsGivenAndNoOthers) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);  // inherited by whoever does not close it
  ChildOptions options;
  options.descriptors = {{ends[1], 7}, {ends[0], ends[1]}};
  // 0, 1, 2, the two given, and the one that lists them.
  EXPECT_EQ(RunShell("test -e /proc/self/fd/7 && test $(ls /proc/self/fd | wc -l) = 6", options), "exit status 0");
  close(ends[0]);
  close(ends[1]);
}

TEST(ChildProcessTest, StartingAndEndingLeavesNoDescriptorAndNoZombie) {
  const int before = OpenDescriptors();
  RunShell("true");
  const absl::StatusOr<pid_t> stuck = StartChild({.arguments = {"/bin/sleep", "1000"}});
  ASSERT_TRUE(stuck.ok()) << stuck.status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(WaitChild(*stuck, absl::ZeroDuration()).status()));
  EXPECT_EQ(WTERMSIG(KillChild(*stuck)), SIGKILL);
  EXPECT_EQ(OpenDescriptors(), before);
  EXPECT_LT(waitpid(-1, nullptr, WNOHANG), 0);
}

}  // namespace
}  // namespace tunefleet::common
