// A zygote and its workers as processes: how they are lost and replaced, and what they are given.
#include "device_server/sandbox/zygote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "device_server/measure/worker_handle.h"
#include "tests/device_server/agent_process.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::device {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

std::string ProcFile(pid_t process, const char* name) {
  std::ifstream file(absl::StrCat("/proc/", process, "/", name));
  return {std::istreambuf_iterator<char>(file), {}};
}

// As the process's own user, who alone may without further rights.
bool ForbidForks(pid_t process) {
  const pid_t child = fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    const rlimit none{};
    const bool same =
        geteuid() != 0 || (setresgid(kNobody, kNobody, kNobody) == 0 && setresuid(kNobody, kNobody, kNobody) == 0);
    _exit(same && prlimit(process, RLIMIT_NPROC, &none, nullptr) == 0 ? 0 : 1);
  }
  int status = 1;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

TEST(ZygoteTest, WorkersOfALostOneAreNotTakenForThoseOfTheNext) {
  auto zygote = Zygote::Start(TUNEFLEET_DEVICE_PROGRAM, {}, nullptr);
  ASSERT_TRUE(zygote.ok()) << zygote.status();
  auto first = std::make_unique<WorkerHandle>(zygote->get());
  ASSERT_FALSE(first->Start({}));
  kill((*zygote)->pid(), SIGKILL);
  WorkerHandle second(zygote->get());
  // One request may be lost to the loss.
  const bool started = !second.Start({}) || !second.Start({});
  ASSERT_TRUE(started);
  // The next zygote's first worker has the number of the last one's.
  first = nullptr;
  EXPECT_FALSE(second.RunSentinel().failure);
}

TEST(ZygoteTest, OneThatCannotForkIsReplaced) {
  auto zygote = Zygote::Start(TUNEFLEET_DEVICE_PROGRAM, {}, nullptr);
  ASSERT_TRUE(zygote.ok()) << zygote.status();
  const std::vector<pid_t> forking = DescendantsOf((*zygote)->pid());
  ASSERT_THAT(forking, SizeIs(1));
  ASSERT_TRUE(ForbidForks(forking[0]));
  WorkerHandle refused((*zygote).get());
  const auto failure = refused.Start({});
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->outcome, v1::OUTCOME_DEVICE_ERROR);
  WorkerHandle next((*zygote).get());
  EXPECT_FALSE(next.Start({}));
}

TEST(ZygoteTest, TheGroupOfItsWorkersHasRoomForTheCopiesOfAKernel) {
  const TempDir folder;  // that looks like a group
  for (const char* const name : {"cgroup.controllers", "cgroup.subtree_control", "cgroup.procs"}) {
    std::ofstream(folder / name) << (std::string(name) == "cgroup.procs" ? "" : "memory pids\n");
  }
  const std::filesystem::path below = folder / "tunefleet-d";
  std::filesystem::create_directory(below);
  for (const char* const name : {"cgroup.procs", "memory.max", "pids.max"}) std::ofstream(below / name);
  auto group = WorkerGroup::Create(folder.path(), "d");
  ASSERT_TRUE(group.ok()) << group.status();
  auto zygote = Zygote::Start(TUNEFLEET_DEVICE_PROGRAM, {}, *std::move(group));
  ASSERT_TRUE(zygote.ok()) << zygote.status();
  WorkerHandle worker(zygote->get());
  ASSERT_FALSE(worker.Start({}));
  const auto allowed = [&](const KernelSpec& spec) {
    EXPECT_TRUE((*zygote)->AllowMemory(spec).ok());
    uint64_t bytes = 0;
    std::ifstream(below / "memory.max") >> bytes;
    return bytes;
  };
  KernelSpec spec{.num_buffers = 2, .num_sets = 2};
  spec.buffers[1][0].file_bytes = 4096;
  spec.buffers[1][1].file_bytes = 8192;
  const uint64_t without = allowed(spec);
  spec.copies = 10;
  spec.eviction_bytes = 1000;
  EXPECT_EQ(allowed(spec), without + 10 * (4096 + 8192) + 1000);
}

TEST(ZygoteTest, AfterAnAbortNothingIsOpened) {
  auto zygote = Zygote::Start(TUNEFLEET_DEVICE_PROGRAM, {}, nullptr);
  ASSERT_TRUE(zygote.ok()) << zygote.status();
  EXPECT_TRUE((*zygote)->AllowMemory({}).ok());
  (*zygote)->Abort();
  EXPECT_FALSE((*zygote)->AllowMemory({}).ok());
}

TEST(ZygoteTest, OfTheAgentsEnvironmentWorkersHaveWhatTheLoaderNeedsAlone) {
  setenv("TUNEFLEET_SECRET", "of-the-agent", 1);
  setenv("LD_LIBRARY_PATH", "/of-a-bundle", 1);
  auto zygote = Zygote::Start(TUNEFLEET_DEVICE_PROGRAM, {}, nullptr);
  unsetenv("TUNEFLEET_SECRET");
  unsetenv("LD_LIBRARY_PATH");
  ASSERT_TRUE(zygote.ok()) << zygote.status();
  WorkerHandle worker(zygote->get());
  ASSERT_FALSE(worker.Start({}));
  const std::vector<pid_t> below = DescendantsOf((*zygote)->pid());
  ASSERT_THAT(below, SizeIs(2));
  for (const pid_t process : below) {
    EXPECT_THAT(ProcFile(process, "environ"), AllOf(HasSubstr("/of-a-bundle"), Not(HasSubstr("of-the-agent"))));
  }
}

TEST(ZygoteTest, WhereMemoryRunsOutItAndItsWorkersAreTheFirstToGo) {
  auto zygote = Zygote::Start(TUNEFLEET_DEVICE_PROGRAM, {}, nullptr);
  ASSERT_TRUE(zygote.ok()) << zygote.status();
  WorkerHandle worker(zygote->get());
  ASSERT_FALSE(worker.Start({}));
  std::vector<pid_t> processes = DescendantsOf((*zygote)->pid());
  processes.push_back((*zygote)->pid());
  ASSERT_THAT(processes, SizeIs(3));
  for (const pid_t process : processes) EXPECT_EQ(ProcFile(process, "oom_score_adj"), "1000\n");
}

TEST(ZygoteTest, AWorkerThatEndsWhileAnotherIsReapedKeepsItsStatus) {
  auto zygote = Zygote::Start(TUNEFLEET_DEVICE_PROGRAM, {}, nullptr);
  ASSERT_TRUE(zygote.ok()) << zygote.status();
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd ours(ends[0]), theirs(ends[1]);
  const auto first = (*zygote)->Spawn({}, theirs.get());
  ASSERT_TRUE(first.ok()) << first.status();
  const std::vector<pid_t> before = DescendantsOf((*zygote)->pid());
  const auto second = (*zygote)->Spawn({}, theirs.get());
  ASSERT_TRUE(second.ok()) << second.status();
  for (const pid_t process : DescendantsOf((*zygote)->pid())) {
    if (std::find(before.begin(), before.end(), process) != before.end()) continue;
    kill(process, SIGKILL);
    while (ProcFile(process, "stat").find(") Z ") == std::string::npos) absl::SleepFor(absl::Milliseconds(1));
  }
  ASSERT_TRUE((*zygote)->Reap(*first, absl::ZeroDuration()).ok());
  const auto end = (*zygote)->Reap(*second, absl::ZeroDuration());
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_FALSE(end->killed);
  ASSERT_TRUE(WIFSIGNALED(end->status));
  EXPECT_EQ(WTERMSIG(end->status), SIGKILL);
}

}  // namespace
}  // namespace tunefleet::device
