// A worker that takes kernel after kernel: when it is kept, when it is not, and what it holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/measure/trial_runner.h"
#include "tests/device_server/agent_process.h"
#include "tests/device_server/footprint.h"
#include "tests/device_server/trial_fixture.h"

namespace tunefleet::device {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PersistentWorkerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::vector<uint16_t> usable = UsableCores();
    absl::StatusOr<std::unique_ptr<TrialRunner>> runner =
        TrialRunner::Create({.program = TUNEFLEET_DEVICE_PROGRAM,
                             .cores = {usable.front(), usable.back()},
                             .worker_lifetime = WorkerLifetime::kPersistent,
                             .device_id = "test-device"});
    ASSERT_TRUE(runner.ok()) << runner.status();
    runner_ = *std::move(runner);
  }

  // With time for everything: others may have the core for a while.
  v1::Trial Make(const std::string& behaviour) {
    v1::Trial trial = MakeTrial(behaviour, &blobs_);
    trial.mutable_options()->mutable_kernel_timeout()->set_seconds(30);
    trial.mutable_options()->mutable_load_timeout()->set_seconds(30);
    return trial;
  }
  v1::TrialResult Run(const v1::Trial& trial) {
    return runner_->Run({.trial = trial, .blobs = blobs_, .time_limit = absl::Seconds(60), .cancelled = nullptr});
  }
  // Timed as briefly as can be; how many kernels its worker had before.
  uint32_t RunBriefly(const std::string& behaviour) {
    v1::Trial trial = Make(behaviour);
    trial.mutable_options()->set_min_samples(1);
    trial.mutable_options()->set_max_samples(1);
    trial.mutable_options()->mutable_min_sample_time()->set_nanos(1000);
    const v1::TrialResult result = Run(trial);
    EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
    return result.kernels_size() == 1 ? result.kernels(0).worker_kernels() : ~0u;
  }

  // Below the zygote, and the process that it has in its namespace.
  std::vector<pid_t> Workers() const {
    std::vector<pid_t> workers;
    for (const pid_t child : DescendantsOf(runner_->zygote().pid())) {
      const std::vector<pid_t> below = DescendantsOf(child);
      workers.insert(workers.end(), below.begin(), below.end());
    }
    return workers;
  }

  std::unique_ptr<TrialRunner> runner_;
  TestBlobs blobs_;
};

TEST_F(PersistentWorkerTest, FiftyTrialsHaveOneWorker) {
  EXPECT_THAT(Workers(), IsEmpty());
  RunBriefly("good");
  const std::vector<pid_t> first = Workers();
  ASSERT_THAT(first, SizeIs(1));
  for (uint32_t i = 1; i < 50; ++i) {
    ASSERT_EQ(RunBriefly(i % 2 == 0 ? "good" : "big_loop"), i);
    ASSERT_EQ(Workers(), first);
  }
}

TEST_F(PersistentWorkerTest, HoldsNoMoreAfterManyKernelsThanAfterAFewAndIsReplacedAfterAsManyAsOneMayHave) {
  for (uint32_t i = 0; i < 20; ++i) ASSERT_EQ(RunBriefly("good"), i);
  const std::vector<pid_t> worker = Workers();
  ASSERT_THAT(worker, SizeIs(1));
  const Footprint before = FootprintOf(worker, {});
  // Three standard ones, the socket, the memory counters.
  EXPECT_EQ(before.descriptors, 5) << before.Text();
  for (uint32_t i = 20; i < kMostKernels - 1; ++i) ASSERT_EQ(RunBriefly("good"), i);
  ASSERT_EQ(Workers(), worker);
  const Footprint after = FootprintOf(worker, {});
  EXPECT_EQ(after.descriptors, before.descriptors) << after.Text();
  EXPECT_EQ(after.mappings, before.mappings) << after.Text();
  EXPECT_EQ(after.threads, before.threads) << after.Text();
  EXPECT_LE(after.private_kib, before.private_kib + 1024) << after.Text();
  EXPECT_EQ(RunBriefly("good"), kMostKernels - 1);
  EXPECT_THAT(Workers(), IsEmpty());
  EXPECT_EQ(RunBriefly("good"), 0u);
}

TEST_F(PersistentWorkerTest, OneThatIsKilledBetweenTrialsIsReplaced) {
  RunBriefly("good");
  const std::vector<pid_t> first = Workers();
  ASSERT_THAT(first, SizeIs(1));
  kill(first[0], SIGKILL);
  EXPECT_EQ(RunBriefly("good"), 0u);
  EXPECT_THAT(Workers(), SizeIs(1));
  EXPECT_NE(Workers(), first);
  EXPECT_EQ(RunBriefly("good"), 1u);
}

TEST_F(PersistentWorkerTest, OneThatGoesWithItsZygoteIsReplaced) {
  RunBriefly("good");
  kill(runner_->zygote().pid(), SIGKILL);
  EXPECT_EQ(RunBriefly("good"), 0u);
  EXPECT_EQ(RunBriefly("good"), 1u);
}

TEST_F(PersistentWorkerTest, OneOfALostZygoteIsNotTakenForAnother) {
  RunBriefly("good");
  kill(runner_->zygote().pid(), SIGKILL);
  // The next zygote's first worker has the number of the last one's. A probe may be lost to the loss.
  runner_->Probe().IgnoreError();
  EXPECT_TRUE(runner_->Probe().ok());
  EXPECT_EQ(RunBriefly("good"), 0u);
  EXPECT_EQ(RunBriefly("good"), 1u);
}

TEST_F(PersistentWorkerTest, AProbeLeavesItAlone) {
  RunBriefly("good");
  EXPECT_TRUE(runner_->Probe().ok());
  EXPECT_EQ(RunBriefly("good"), 1u);
}

TEST_F(PersistentWorkerTest, IsMadeForTheThreadsOfItsKernels) {
  v1::Trial two = Make("parallel");
  two.mutable_options()->set_threads(2);
  RunBriefly("good");
  for (const uint32_t earlier : {0u, 1u}) {
    const v1::TrialResult result = Run(two);
    ASSERT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
    EXPECT_EQ(result.kernels(0).worker_kernels(), earlier);
    EXPECT_THAT(Workers(), SizeIs(1));
  }
  EXPECT_EQ(RunBriefly("good"), 0u);
}

// What the operating system says of each of its threads.
std::set<std::string> CoresOfThreads(pid_t process) {
  std::set<std::string> cores;
  for (const auto& thread : std::filesystem::directory_iterator(absl::StrCat("/proc/", process, "/task"))) {
    std::ifstream status(thread.path() / "status");
    for (std::string line; std::getline(status, line);) {
      absl::string_view text = line;
      if (absl::ConsumePrefix(&text, "Cpus_allowed_list:")) cores.emplace(absl::StripAsciiWhitespace(text));
    }
  }
  return cores;
}

TEST_F(PersistentWorkerTest, EveryThreadMayUseTheCoreThatItWasGivenAndNoOther) {
  const std::vector<uint16_t> usable = UsableCores();
  const std::string first = absl::StrCat(usable.front()), last = absl::StrCat(usable.back());
  RunBriefly("good");
  ASSERT_THAT(Workers(), SizeIs(1));
  EXPECT_EQ(CoresOfThreads(Workers()[0]), std::set<std::string>({first}));
  v1::Trial two = Make("parallel");
  two.mutable_options()->set_threads(2);
  ASSERT_EQ(v1::Outcome_Name(Run(two).outcome()), "OUTCOME_OK");
  ASSERT_THAT(Workers(), SizeIs(1));
  EXPECT_EQ(CoresOfThreads(Workers()[0]), std::set<std::string>({first, last}));
}

TEST_F(PersistentWorkerTest, KernelsSideBySideHaveOneEachAndOneIsKept) {
  RunBriefly("good");
  v1::Trial trial = Make("good");
  for (int i = 0; i < 2; ++i) *trial.add_kernels() = Make("big_loop").kernels(0);
  const v1::TrialResult result = Run(trial);
  ASSERT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
  std::vector<uint32_t> earlier;
  for (const v1::KernelResult& kernel : result.kernels()) earlier.push_back(kernel.worker_kernels());
  EXPECT_THAT(earlier, ElementsAre(1, 0, 0));
  EXPECT_THAT(Workers(), SizeIs(1));
  EXPECT_EQ(RunBriefly("good"), 2u);
  *trial.add_kernels() = Make("reads_null").kernels(0);
  EXPECT_EQ(v1::Outcome_Name(Run(trial).outcome()), "OUTCOME_CRASHED");
  EXPECT_THAT(Workers(), IsEmpty()) << "none of them had come to a clean end";
}

TEST_F(PersistentWorkerTest, ARevokedTrialEndsIt) {
  RunBriefly("good");
  const v1::Trial trial = Make("good");
  runner_->Run({.trial = trial, .blobs = blobs_, .time_limit = absl::Seconds(60), .cancelled = [] { return true; }});
  EXPECT_THAT(Workers(), IsEmpty());
}

TEST_F(PersistentWorkerTest, EveryKernelHasItsOwnMemoryLimit) {
  v1::Trial little = Make("good");
  little.mutable_options()->set_memory_limit_bytes(1 << 20);
  EXPECT_EQ(v1::Outcome_Name(Run(little).outcome()), "OUTCOME_OK");
  v1::Trial large = Make("good");
  large.mutable_kernels(0)->mutable_manifest()->set_workspace_bytes(8 << 20);
  const v1::TrialResult largest = Run(large);
  EXPECT_EQ(v1::Outcome_Name(largest.outcome()), "OUTCOME_OK") << largest.detail();
  EXPECT_EQ(largest.kernels(0).worker_kernels(), 1u) << "its workspace is no part of an earlier kernel's limit";
  v1::Trial more = Make("mallocs_and_frees");
  EXPECT_EQ(v1::Outcome_Name(Run(more).outcome()), "OUTCOME_OK");
  more.mutable_options()->set_memory_limit_bytes(1 << 20);
  const v1::TrialResult result = Run(more);
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OUT_OF_MEMORY") << result.detail();
  EXPECT_THAT(result.detail(), HasSubstr("before, in a worker that had had 3 kernels: an allocation"));
}

TEST_F(PersistentWorkerTest, KernelsOfAllCacheModesFollowEachOther) {
  uint32_t earlier = 0;
  for (int round = 0; round < 2; ++round) {
    for (const v1::CacheMode mode : {v1::CACHE_MODE_ROTATING, v1::CACHE_MODE_COLD, v1::CACHE_MODE_WARM}) {
      v1::Trial trial = Make("good");
      trial.mutable_options()->set_cache_mode(mode);
      trial.mutable_options()->set_rotate_bytes(1 << 20);
      const v1::TrialResult result = Run(trial);
      ASSERT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
      EXPECT_EQ(result.kernels(0).worker_kernels(), earlier++);
    }
  }
}

TEST_F(PersistentWorkerTest, AKernelFindsEveryThreadAsInANewProcess) {
  uint32_t earlier = 0;
  for (const char* const behaviour : {"checks_modes", "leaves_modes", "checks_modes"}) {
    v1::Trial trial = Make(behaviour);
    trial.mutable_options()->set_threads(2);
    const v1::TrialResult result = Run(trial);
    ASSERT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << behaviour << ": " << result.detail();
    EXPECT_EQ(result.kernels(0).worker_kernels(), earlier++);
  }
}

// What it does when it is unloaded is no part of a trial, but the last of its worker.
TEST_F(PersistentWorkerTest, AKernelThatWillNotGoOrLeavesMuchBehindIsItsLast) {
  for (const char* const behaviour : {"stays_loaded", "crashes_in_destructor", "hangs_in_destructor", "leaks_memory"}) {
    ASSERT_EQ(RunBriefly("good"), 0u) << behaviour;
    ASSERT_EQ(RunBriefly(behaviour), 1u) << behaviour;
    EXPECT_THAT(Workers(), IsEmpty()) << behaviour;
    ASSERT_EQ(RunBriefly("good"), 0u) << behaviour;
    Run(Make("reads_null"));  // for a new one
  }
}

TEST_F(PersistentWorkerTest, AKernelIsNotBlamedForWhatAnEarlierOneLeftBehind) {
  for (const char* const behaviour : {"breaks_runtime", "parallel"}) {
    v1::Trial trial = Make(behaviour);
    trial.mutable_options()->set_threads(2);
    const v1::TrialResult result = Run(trial);
    ASSERT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << behaviour << ": " << result.detail();
    EXPECT_EQ(result.kernels(0).worker_kernels(), 0u);
  }
}

TEST_F(PersistentWorkerTest, AReferenceThatFailedInAWorkerWithAPastIsTriedAgain) {
  v1::Trial breaks = Make("breaks_runtime");
  breaks.mutable_options()->set_threads(2);
  ASSERT_EQ(v1::Outcome_Name(Run(breaks).outcome()), "OUTCOME_OK");
  v1::Trial trial = Make("good");
  trial.mutable_options()->set_threads(2);
  v1::Kernel& kernel = *trial.mutable_kernels(0);
  kernel.mutable_checks(0)->clear_reference_digest();
  *kernel.mutable_reference() = Make("parallel").kernels(0).manifest();
  const v1::TrialResult result = Run(trial);
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
}

TEST_F(PersistentWorkerTest, AnAbortBetweenTrialsEndsIt) {
  RunBriefly("good");
  const std::vector<pid_t> worker = Workers();
  ASSERT_THAT(worker, SizeIs(1));
  runner_->Abort();
  EXPECT_EQ(v1::Outcome_Name(Run(Make("good")).outcome()), "OUTCOME_DEVICE_ERROR");
  EXPECT_FALSE(IsAlive(worker[0]));
}

TEST_F(PersistentWorkerTest, EndsWithTheRunner) {
  RunBriefly("good");
  const std::vector<pid_t> worker = Workers();
  ASSERT_THAT(worker, SizeIs(1));
  runner_->End();
  EXPECT_FALSE(IsAlive(worker[0]));
}

}  // namespace
}  // namespace tunefleet::device
