// The pool against a builder that crashes, stalls, eats memory and talks nonsense (unruly_builder).
#include "tuner/builder/builder_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "common/child_process.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::tuner {
namespace {

using ::testing::HasSubstr;

BuilderPoolOptions Unruly(int size) {
  BuilderPoolOptions options;
  options.size = size;
  options.process.program = *common::SiblingProgram("unruly_builder");
  options.process.timeout = absl::Seconds(60);
  return options;
}

v1::BuildRequest Request(uint64_t id, const std::string& how) {
  v1::BuildRequest request;
  request.set_id(id);
  request.set_pass_pipeline(how);
  return request;
}

TEST(BuilderPoolTest, OneProcessServesManyCandidates) {
  const auto pool = BuilderPool::Create(Unruly(1));
  ASSERT_TRUE(pool.ok()) << pool.status();
  std::set<std::string> processes;
  for (uint64_t id = 1; id <= 20; ++id) {
    const v1::BuildResponse response = (*pool)->Build(Request(id, "chatter"));
    EXPECT_EQ(response.id(), id);
    EXPECT_EQ(response.outcome(), v1::OUTCOME_OK);
    processes.insert(response.detail());
  }
  EXPECT_EQ(processes.size(), 1u);
}

TEST(BuilderPoolTest, ProcessIsReplacedAfterItsShareOfCandidates) {
  BuilderPoolOptions options = Unruly(1);
  options.candidates_per_process = 5;
  const auto pool = BuilderPool::Create(options);
  ASSERT_TRUE(pool.ok()) << pool.status();
  std::set<std::string> processes;
  for (uint64_t id = 1; id <= 20; ++id) processes.insert((*pool)->Build(Request(id, "")).detail());
  EXPECT_EQ(processes.size(), 4u);
}

struct Misdeed {
  std::string how;
  v1::Outcome outcome;
  std::string detail;
};

class BuilderMisdeedTest : public ::testing::TestWithParam<Misdeed> {};

TEST_P(BuilderMisdeedTest, CostsOneCandidateAndIsTyped) {
  BuilderPoolOptions options = Unruly(1);
  if (GetParam().outcome == v1::OUTCOME_BUILD_TIMED_OUT) options.process.timeout = absl::Milliseconds(200);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  options.process.memory_limit_bytes = 256 << 20;
#else
  if (GetParam().how == "allocate") GTEST_SKIP() << "sanitizers reserve more address space than any limit";
#endif
  const auto pool = BuilderPool::Create(options);
  ASSERT_TRUE(pool.ok()) << pool.status();
  const v1::BuildResponse response = (*pool)->Build(Request(1, GetParam().how));
  EXPECT_EQ(response.id(), 1u);
  EXPECT_EQ(response.outcome(), GetParam().outcome) << response.detail();
  EXPECT_THAT(response.detail(), HasSubstr(GetParam().detail));
  EXPECT_EQ(response.detail().find('\n'), std::string::npos);
  EXPECT_EQ((*pool)->Build(Request(2, "")).outcome(), v1::OUTCOME_OK) << "the pool did not replace its builder";
}

INSTANTIATE_TEST_SUITE_P(All, BuilderMisdeedTest,
                         ::testing::Values(Misdeed{"crash", v1::OUTCOME_BUILD_CRASHED, "the compiler lost its way"},
                                           Misdeed{"exit", v1::OUTCOME_BUILD_CRASHED, "exit status 3"},
                                           Misdeed{"stall", v1::OUTCOME_BUILD_TIMED_OUT, "200ms"},
                                           Misdeed{"allocate", v1::OUTCOME_BUILD_OUT_OF_MEMORY, "exit status 77"},
                                           Misdeed{"killed", v1::OUTCOME_BUILD_OUT_OF_MEMORY, "signal 9"},
                                           Misdeed{"garbage", v1::OUTCOME_BUILD_CRASHED, "makes no sense"},
                                           Misdeed{"huge", v1::OUTCOME_BUILD_CRASHED, "makes no sense"},
                                           Misdeed{"other id", v1::OUTCOME_BUILD_CRASHED, "not asked"},
                                           Misdeed{"impossible outcome", v1::OUTCOME_BUILD_CRASHED, "not asked"}),
                         [](const ::testing::TestParamInfo<Misdeed>& info) {
                           std::string name = info.param.how;
                           name.erase(std::remove(name.begin(), name.end(), ' '), name.end());
                           return name;
                         });

TEST(BuilderPoolTest, CandidatesInFlightAreBuiltWhileOthersCrash) {
  const auto pool = BuilderPool::Create(Unruly(3));
  ASSERT_TRUE(pool.ok()) << pool.status();
  std::vector<std::thread> callers;
  std::vector<int> built(3), crashed(3);
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&, caller] {
      for (uint64_t i = 0; i < 12; ++i) {
        const bool bad = i % 4 == 3;
        const v1::BuildResponse response = (*pool)->Build(Request(caller * 100 + i, bad ? "exit" : ""));
        (response.outcome() == v1::OUTCOME_OK ? built : crashed)[caller]++;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(built, std::vector<int>({9, 9, 9}));
  EXPECT_EQ(crashed, std::vector<int>({3, 3, 3}));
}

TEST(BuilderPoolTest, AProgramThatCannotBeStartedForAMomentCostsNoCandidate) {
  TempDir folder;
  BuilderPoolOptions options = Unruly(1);
  const std::string installed = options.process.program;
  options.process.program = folder / "builder";
  options.candidates_per_process = 1;
  options.retry_pause = absl::Milliseconds(20);
  std::filesystem::create_symlink(installed, folder / "builder");
  const auto pool = BuilderPool::Create(options);
  ASSERT_TRUE(pool.ok()) << pool.status();
  std::filesystem::remove(folder / "builder");
  EXPECT_EQ((*pool)->Build(Request(1, "")).outcome(), v1::OUTCOME_OK) << "by the process that runs already";
  std::thread installer([&] {
    absl::SleepFor(absl::Milliseconds(60));  // some attempts fail
    std::filesystem::create_symlink(installed, folder / "builder");
  });
  EXPECT_EQ((*pool)->Build(Request(2, "")).outcome(), v1::OUTCOME_OK);
  installer.join();
}

TEST(BuilderPoolTest, MissingProgramIsAnErrorThatNamesIt) {
  BuilderPoolOptions options = Unruly(2);
  options.process.program = "/nowhere/tunefleet-builder";
  const auto pool = BuilderPool::Create(options);
  EXPECT_TRUE(absl::IsNotFound(pool.status())) << pool.status();
  EXPECT_THAT(std::string(pool.status().message()), HasSubstr("/nowhere/tunefleet-builder"));
}

TEST(BuilderPoolTest, StalledBuilderDiesWithAKilledTuner) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);  // the orphan becomes ours to wait for
  int report[2];
  ASSERT_EQ(pipe(report), 0);
  const pid_t tuner = fork();
  if (tuner == 0) {
    const auto pool = BuilderPool::Create(Unruly(1));
    const std::string builder = pool.ok() ? (*pool)->Build(Request(1, "")).detail() + "\n" : "0\n";
    if (write(report[1], builder.data(), builder.size()) < 0) _exit(1);
    (*pool)->Build(Request(2, "stall"));
    _exit(0);
  }
  close(report[1]);
  std::string text;
  for (char byte; read(report[0], &byte, 1) == 1 && byte != '\n';) text += byte;
  close(report[0]);
  const pid_t builder = std::stoi(text);
  ASSERT_GT(builder, 0);
  kill(tuner, SIGKILL);
  waitpid(tuner, nullptr, 0);
  EXPECT_TRUE(common::WaitChild(builder, absl::Seconds(60)).ok()) << "the builder outlived its tuner";
}

}  // namespace
}  // namespace tunefleet::tuner
