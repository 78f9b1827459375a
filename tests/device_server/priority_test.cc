#include "device_server/worker/priority.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace tunefleet::device {
namespace {

rlim_t RealTimeLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_RTTIME, &limit);
  return limit.rlim_cur;
}

// In a process of its own: 0, or the number of the step that went wrong.
int LimitsOfZygoteAndWorker() {
  const rlim_t before = RealTimeLimit();
  RaisePriority();
  if (RealTimeLimit() > 10'000'000) return 1;
  KeepPriority(/*real_time=*/false);
  return RealTimeLimit() == before ? 0 : 2;
}

TEST(PriorityTest, AZygoteMayNotSpinAtRealTimeAndAWorkerMay) {
  const pid_t pid = fork();
  ASSERT_GE(pid, 0);
  if (pid == 0) _exit(LimitsOfZygoteAndWorker());
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace tunefleet::device
