// Well-behaved kernels through real workers of both lifetimes.
#include "device_server/measure/trial_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/turns.h"
#include "device_server/describe/cpu_list.h"
#include "tests/device_server/trial_fixture.h"

namespace tunefleet::device {
namespace {

using ::testing::HasSubstr;

class TrialRunnerTest : public ::testing::TestWithParam<WorkerLifetime> {
 protected:
  void SetUp() override {
    const std::vector<uint16_t> usable = UsableCores();
    absl::StatusOr<std::unique_ptr<TrialRunner>> runner = TrialRunner::Create({.program = TUNEFLEET_DEVICE_PROGRAM,
                                                                               .cores = {usable.front(), usable.back()},
                                                                               .worker_lifetime = GetParam(),
                                                                               .device_id = "test-device",
                                                                               .device_fingerprint = "print",
                                                                               .agent_version = "1.2.3"});
    ASSERT_TRUE(runner.ok()) << runner.status();
    runner_ = *std::move(runner);
  }

  v1::TrialResult Run(const v1::Trial& trial) {
    return runner_->Run({.trial = trial, .blobs = blobs_, .time_limit = absl::Seconds(60), .cancelled = nullptr});
  }

  std::unique_ptr<TrialRunner> runner_;
  TestBlobs blobs_;
};

TEST_P(TrialRunnerTest, ReportsEverythingAboutAGoodKernel) {
  v1::Trial trial = MakeTrial("good", &blobs_);
  const v1::TrialResult result = Run(trial);
  ASSERT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
  EXPECT_EQ(result.trial_id(), "trial-good");
  EXPECT_EQ(result.device_id(), "test-device");
  EXPECT_EQ(result.device_fingerprint(), "print");
  EXPECT_EQ(result.agent_version(), "1.2.3");
  EXPECT_EQ(result.options().threads(), 1u);
  EXPECT_GT(result.options().max_samples(), 0u);
  EXPECT_TRUE(result.has_finished_at());
  EXPECT_GT(result.run_time().nanos(), 0);
  EXPECT_GT(result.device_time().nanos(), 0);
  ASSERT_EQ(result.kernels_size(), 1);
  const v1::KernelResult& kernel = result.kernels(0);
  EXPECT_GT(kernel.latency_ns(), 0u);
  EXPECT_FALSE(kernel.censored());
  EXPECT_GE(kernel.samples_size(), static_cast<int>(result.options().min_samples()));
  EXPECT_LE(kernel.max_error_ratio(), 1.0);
  EXPECT_EQ(kernel.code_digest(), trial.kernels(0).manifest().code_digest());
  for (const v1::Sample& sample : kernel.samples()) EXPECT_GE(sample.runs(), 1u);
  EXPECT_LE(kernel.samples(0).begin_ns(), kernel.samples(1).begin_ns());
  EXPECT_EQ(result.telemetry().cores_size(), 1) << "one thread";
  EXPECT_THAT(result.telemetry().scheduling(), ::testing::AnyOf("fifo", "nice", "normal"));
  EXPECT_TRUE(result.telemetry().has_preemptions());
  EXPECT_GT(result.sentinel().before_ns(), 0u);
  EXPECT_GT(result.sentinel().after_ns(), 0u);
  EXPECT_GT(result.sentinel().baseline_ns(), 0u);
  EXPECT_GT(result.sentinel().speed(), 0);
  EXPECT_GT(kernel.clock_correction(), 0);
  EXPECT_GT(kernel.samples(1).sentinel_ns(), 0u);
}

TEST_P(TrialRunnerTest, AlignedBuffersUseOneLayoutAndUnalignedOnesTwo) {
  // 1000 floats end inside a page, so the kernel is also run with buffers at the start of one; both are verified.
  v1::Trial trial = MakeTrial("good", &blobs_);
  for (v1::BufferSpec& buffer : *trial.mutable_kernels(0)->mutable_manifest()->mutable_buffers()) {
    buffer.set_alignment(4096);
  }
  EXPECT_EQ(v1::Outcome_Name(Run(trial).outcome()), "OUTCOME_OK");
  EXPECT_EQ(v1::Outcome_Name(Run(MakeTrial("good", &blobs_)).outcome()), "OUTCOME_OK");
}

TEST_P(TrialRunnerTest, WritesIntoTheSlackOfAnAlignedBufferAreFound) {
  v1::Trial trial = MakeTrial("writes_past_output", &blobs_);
  trial.mutable_kernels(0)->mutable_manifest()->mutable_buffers(3)->set_alignment(4096);
  const v1::TrialResult result = Run(trial);
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_WRONG_ANSWER");
  EXPECT_THAT(result.detail(), HasSubstr("wrote outside of buffer 'c'"));
}

TEST_P(TrialRunnerTest, AWriteRightPastTheWorkspaceIsFound) {
  v1::Trial trial = MakeTrial("writes_just_past_workspace", &blobs_);
  trial.mutable_kernels(0)->mutable_manifest()->set_workspace_bytes(4000);  // 1000 floats, and no page's end
  const v1::TrialResult result = Run(trial);
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_WRONG_ANSWER");
  EXPECT_THAT(result.detail(), HasSubstr("wrote outside of its workspace"));
  trial.mutable_kernels(0)->mutable_manifest()->set_workspace_bytes(4004);
  EXPECT_EQ(v1::Outcome_Name(Run(trial).outcome()), "OUTCOME_OK");
}

TEST_P(TrialRunnerTest, RotatingRunsTakeTheCopiesInTurn) {
  v1::Trial trial = MakeTrial("counts_addresses", &blobs_);
  EXPECT_THAT(Run(trial).detail(), HasSubstr("returned 11"));
  trial.mutable_options()->set_cache_mode(v1::CACHE_MODE_ROTATING);
  const v1::TrialResult result = Run(trial);
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
}

TEST_P(TrialRunnerTest, MemoryThatTheMachineHasNotIsNotTaken) {
  const std::string meminfo = absl::StrCat(::testing::TempDir(), "/meminfo-", getpid());
  std::ofstream(meminfo) << "MemAvailable: " << ((256 + 80) << 10) << " kB\n";
  const auto runner = TrialRunner::Create({.program = TUNEFLEET_DEVICE_PROGRAM,
                                           .cores = {UsableCores().back()},
                                           .worker_lifetime = GetParam(),
                                           .meminfo = meminfo});
  ASSERT_TRUE(runner.ok()) << runner.status();
  const auto run = [&](const v1::Trial& trial) {
    return (*runner)->Run({.trial = trial, .blobs = blobs_, .time_limit = absl::Seconds(60), .cancelled = nullptr});
  };
  constexpr uint64_t kMiB = 1 << 20;
  v1::Trial workspace = MakeTrial("good", &blobs_);
  workspace.mutable_kernels(0)->mutable_manifest()->set_workspace_bytes(70 * kMiB);
  EXPECT_EQ(v1::Outcome_Name(run(workspace).outcome()), "OUTCOME_OK");
  // A second writable buffer of 2 MiB, for copies that are worth counting.
  v1::Trial rotating = MakeTrial("good", &blobs_);
  v1::BufferSpec& more = *rotating.mutable_kernels(0)->mutable_manifest()->add_buffers();
  more.set_name("more");
  more.set_role(v1::BUFFER_ROLE_PREPARED);
  more.set_size_bytes(2 * kMiB);
  more.set_alignment(64);
  rotating.mutable_options()->set_cache_mode(v1::CACHE_MODE_ROTATING);
  rotating.mutable_options()->set_rotate_bytes(20 * kMiB);
  EXPECT_EQ(v1::Outcome_Name(run(rotating).outcome()), "OUTCOME_OK");
  rotating.mutable_options()->set_rotate_bytes(100 * kMiB);
  workspace.mutable_kernels(0)->mutable_manifest()->set_workspace_bytes(90 * kMiB);
  // A reference's memory says nothing of the kernel.
  v1::Trial referred = MakeTrial("good", &blobs_);
  v1::Kernel& kernel = *referred.mutable_kernels(0);
  *kernel.mutable_reference() = kernel.manifest();
  kernel.mutable_reference()->set_workspace_bytes(90 * kMiB);
  kernel.mutable_checks(0)->clear_reference_digest();
  for (const v1::Trial& trial : {workspace, rotating, referred}) {
    const v1::TrialResult result = run(trial);
    EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_DEVICE_ERROR") << "there may be more another time";
    EXPECT_THAT(result.detail(), HasSubstr("the machine has 352321536 left"));
  }
  std::ofstream(meminfo) << "MemTotal: " << ((256 + 80) << 10) << " kB\n";
  for (const v1::Trial& trial : {workspace, rotating}) {
    const v1::TrialResult result = run(trial);
    EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_REFUSED") << "nobody's fault but the client's";
    EXPECT_THAT(result.detail(), HasSubstr("the machine has 352321536, of which"));
  }
  std::ofstream(meminfo) << "MemAvailable: " << (1024 << 10) << " kB\n";
  EXPECT_EQ(v1::Outcome_Name(run(referred).outcome()), "OUTCOME_OK");
  // By now the reference is known, and takes no memory.
  std::ofstream(meminfo) << "MemTotal: " << ((256 + 80) << 10) << " kB\n";
  EXPECT_EQ(v1::Outcome_Name(run(referred).outcome()), "OUTCOME_OK");
}

TEST_P(TrialRunnerTest, ParallelLoopsRunOnThePinnedPool) {
  v1::Trial trial = MakeTrial("parallel", &blobs_);
  trial.mutable_options()->set_threads(2);
  trial.mutable_options()->mutable_kernel_timeout()->set_seconds(30);  // the test's machine may have but one free core
  const v1::TrialResult result = Run(trial);
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
  trial.mutable_options()->set_threads(200);
  EXPECT_THAT(Run(trial).detail(), HasSubstr("the device offers 2"));
}

TEST_P(TrialRunnerTest, SeveralKernelsAreInterleavedAndReportedInOrder) {
  v1::Trial trial = MakeTrial("good", &blobs_);
  *trial.add_kernels() = MakeTrial("big_loop", &blobs_).kernels(0);
  const v1::TrialResult result = Run(trial);
  ASSERT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
  ASSERT_EQ(result.kernels_size(), 2);
  EXPECT_LT(result.kernels(0).latency_ns(), result.kernels(1).latency_ns());
  *trial.add_kernels() = MakeTrial("reads_null", &blobs_).kernels(0);
  const v1::TrialResult failed = Run(trial);
  EXPECT_EQ(v1::Outcome_Name(failed.outcome()), "OUTCOME_CRASHED");
  EXPECT_THAT(failed.detail(), HasSubstr("kernel 2: "));
}

TEST_P(TrialRunnerTest, AClearlySlowerKernelIsCutShort) {
  v1::Trial trial = MakeTrial("big_loop", &blobs_);
  trial.mutable_options()->set_incumbent_ns(100);
  trial.mutable_options()->set_abort_ratio(2);
  const v1::TrialResult result = Run(trial);
  ASSERT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
  EXPECT_TRUE(result.kernels(0).censored());
  EXPECT_EQ(result.kernels(0).samples_size(), 2);
}

TEST_P(TrialRunnerTest, ColdCacheRunsFindNothingInTheCaches) {
  v1::Trial trial = MakeTrial("good", &blobs_);
  const v1::TrialResult warm = Run(trial);
  ASSERT_EQ(v1::Outcome_Name(warm.outcome()), "OUTCOME_OK") << warm.detail();
  trial.mutable_options()->set_cold_cache(true);
  const v1::TrialResult cold = Run(trial);
  ASSERT_EQ(v1::Outcome_Name(cold.outcome()), "OUTCOME_OK") << cold.detail();
  // Two hundred lines from memory against as many from the core's own cache: ten times and more.
  EXPECT_GT(cold.kernels(0).latency_ns(), 2 * warm.kernels(0).latency_ns());
}

TEST_P(TrialRunnerTest, RotatingRunsAreVerifiedToo) {
  v1::Trial trial = MakeTrial("good", &blobs_);
  trial.mutable_options()->set_cache_mode(v1::CACHE_MODE_ROTATING);
  trial.mutable_options()->set_rotate_bytes(1 << 20);
  const v1::TrialResult good = Run(trial);
  EXPECT_EQ(v1::Outcome_Name(good.outcome()), "OUTCOME_OK") << good.detail();
  EXPECT_EQ(good.options().cache_mode(), v1::CACHE_MODE_ROTATING);
  for (const char* const bad : {"writes_first_run_only", "stale_accumulator", "writes_input", "writes_past_output"}) {
    v1::Trial hostile = MakeTrial(bad, &blobs_);
    *hostile.mutable_options() = trial.options();
    EXPECT_NE(v1::Outcome_Name(Run(hostile).outcome()), "OUTCOME_OK") << bad;
  }
  trial.mutable_options()->set_rotate_bytes(uint64_t{1} << 60);
  EXPECT_EQ(v1::Outcome_Name(Run(trial).outcome()), "OUTCOME_REFUSED");
}

TEST_P(TrialRunnerTest, TheSlowerOfTwoKernelsIsCalledSlower) {
  v1::Trial trial = MakeTrial("good", &blobs_);
  *trial.add_kernels() = MakeTrial("big_loop", &blobs_).kernels(0);
  trial.mutable_options()->mutable_run_budget()->set_seconds(5);
  const v1::TrialResult result = Run(trial);
  ASSERT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
  EXPECT_FALSE(result.kernels(0).has_comparison());
  EXPECT_EQ(result.kernels(1).comparison().verdict(), v1::VERDICT_SLOWER);
}

TEST_P(TrialRunnerTest, TimingWaitsForTheBuildersOnItsCores) {
  const std::string file = absl::StrCat(::testing::TempDir(), "/trial-turns-", getpid());
  const auto turns = common::Turns::Open(file);
  ASSERT_TRUE(turns.ok()) << turns.status();
  const auto runner = TrialRunner::Create({.program = TUNEFLEET_DEVICE_PROGRAM,
                                           .cores = {UsableCores().back()},
                                           .worker_lifetime = GetParam(),
                                           .turns_file = file});
  ASSERT_TRUE(runner.ok()) << runner.status();
  const v1::Trial trial = MakeTrial("good", &blobs_);
  absl::StatusOr<common::Turn> building = turns->Work();
  ASSERT_TRUE(building.ok());
  int asked = 0;
  const auto result =
      (*runner)->Run({.trial = trial, .blobs = blobs_, .time_limit = absl::Seconds(60), .cancelled = [&] {
                        // Asked while it waits: it never would have come to an end.
                        if (++asked == 5) building = absl::CancelledError("built");
                        return false;
                      }});
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
  EXPECT_GE(asked, 5);
  EXPECT_TRUE(turns->Work().ok()) << "the turn is given back";
  std::filesystem::remove(file);
  std::filesystem::remove(file + ".gate");
}

TEST_P(TrialRunnerTest, ARevokedTrialEndsBetweenSamples) {
  const v1::Trial trial = MakeTrial("good", &blobs_);
  const v1::TrialResult result = runner_->Run(
      {.trial = trial, .blobs = blobs_, .time_limit = absl::Seconds(60), .cancelled = [] { return true; }});
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_CANCELLED");
}

TEST_P(TrialRunnerTest, TheDeadlineOfTheLeaseBoundsTheTrial) {
  v1::Trial trial = MakeTrial("hangs", &blobs_);
  trial.mutable_options()->mutable_kernel_timeout()->set_seconds(3600);
  const v1::TrialResult result =
      runner_->Run({.trial = trial, .blobs = blobs_, .time_limit = absl::Milliseconds(400), .cancelled = nullptr});
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_TIMED_OUT");
}

TEST_P(TrialRunnerTest, AMalformedTrialIsRefusedAndAMissingBlobIsADeviceError) {
  v1::Trial trial = MakeTrial("good", &blobs_);
  v1::Trial unchecked = trial;
  unchecked.mutable_kernels(0)->clear_checks();
  EXPECT_EQ(v1::Outcome_Name(Run(unchecked).outcome()), "OUTCOME_REFUSED");
  v1::Trial greedy = trial;
  greedy.mutable_options()->set_threads(3);
  EXPECT_EQ(v1::Outcome_Name(Run(greedy).outcome()), "OUTCOME_REFUSED");
  v1::Trial short_blob = trial;
  short_blob.mutable_kernels(0)->mutable_fills(0)->set_blob_digest(blobs_.Put("short"));
  EXPECT_EQ(v1::Outcome_Name(Run(short_blob).outcome()), "OUTCOME_REFUSED");
  v1::Trial short_reference = trial;
  short_reference.mutable_kernels(0)->mutable_checks(0)->set_reference_digest(blobs_.Put("short"));
  EXPECT_EQ(v1::Outcome_Name(Run(short_reference).outcome()), "OUTCOME_REFUSED");
  v1::Trial no_code = trial;
  no_code.mutable_kernels(0)->mutable_manifest()->set_code_digest(std::string(32, 'x'));
  EXPECT_EQ(v1::Outcome_Name(Run(no_code).outcome()), "OUTCOME_DEVICE_ERROR");
  EXPECT_EQ(v1::Outcome_Name(Run(trial).outcome()), "OUTCOME_OK");
}

TEST_P(TrialRunnerTest, AnAbortEndsTheTrialUnderWayAndEveryLaterOne) {
  v1::Trial trial = MakeTrial("hangs", &blobs_);
  trial.mutable_options()->mutable_kernel_timeout()->set_seconds(3600);
  std::thread aborter([this] {
    absl::SleepFor(absl::Milliseconds(200));  // whatever the trial has come to by then
    runner_->Abort();
  });
  const v1::TrialResult result =
      runner_->Run({.trial = trial, .blobs = blobs_, .time_limit = absl::Hours(1), .cancelled = nullptr});
  aborter.join();
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_DEVICE_ERROR") << result.detail();
  EXPECT_EQ(v1::Outcome_Name(Run(MakeTrial("good", &blobs_)).outcome()), "OUTCOME_DEVICE_ERROR");
}

TEST_P(TrialRunnerTest, FillsGivenAsBlobsAreUsed) {
  v1::Trial trial = MakeTrial("good", &blobs_);
  v1::BufferFill& fill = *trial.mutable_kernels(0)->mutable_fills(0);
  fill.set_blob_digest(blobs_.Put(std::string(4000, '\0')));
  const v1::TrialResult result = Run(trial);
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_WRONG_ANSWER") << "the reference is that of the seeded input";
}

TEST_P(TrialRunnerTest, AReferenceIsComputedOnTheDeviceOnceAndJudgesLaterTrials) {
  v1::Trial trial = MakeTrial("good", &blobs_);
  v1::Kernel& kernel = *trial.mutable_kernels(0);
  kernel.mutable_checks(0)->clear_reference_digest();
  *kernel.mutable_reference() = MakeTrial("returns_error", &blobs_).kernels(0).manifest();
  const v1::TrialResult refused = Run(trial);
  EXPECT_EQ(v1::Outcome_Name(refused.outcome()), "OUTCOME_NO_REFERENCE") << "no verdict on the kernel";
  EXPECT_THAT(refused.detail(), HasSubstr("the reference: "));
  *kernel.mutable_reference() = MakeTrial("big_loop", &blobs_).kernels(0).manifest();
  const v1::TrialResult good = Run(trial);
  EXPECT_EQ(v1::Outcome_Name(good.outcome()), "OUTCOME_OK") << good.detail();
  *kernel.mutable_manifest() = MakeTrial("wrong_one_element", &blobs_).kernels(0).manifest();
  EXPECT_EQ(v1::Outcome_Name(Run(trial).outcome()), "OUTCOME_WRONG_ANSWER");
  // It is kept: its code is not asked for again.
  TestBlobs kernel_alone;
  *kernel.mutable_manifest() = MakeTrial("good", &kernel_alone).kernels(0).manifest();
  const v1::TrialResult kept =
      runner_->Run({.trial = trial, .blobs = kernel_alone, .time_limit = absl::Seconds(60), .cancelled = nullptr});
  EXPECT_EQ(v1::Outcome_Name(kept.outcome()), "OUTCOME_OK") << kept.detail();
}

TEST_P(TrialRunnerTest, SecondFillsAreRunOnceAndJudgedToo) {
  v1::Trial trial = MakeTrial("good", &blobs_);
  v1::Kernel& kernel = *trial.mutable_kernels(0);
  v1::BufferFill second = kernel.fills(0);
  second.set_seed(900);
  *kernel.add_second_fills() = second;
  v1::OutputCheck& check = *kernel.mutable_checks(0);
  check.set_second_reference_digest(blobs_.Put(ExpectedOutput(second, kernel.fills(1))));
  EXPECT_EQ(v1::Outcome_Name(Run(trial).outcome()), "OUTCOME_OK") << Run(trial).detail();
  check.set_second_reference_digest(check.reference_digest());
  EXPECT_EQ(v1::Outcome_Name(Run(trial).outcome()), "OUTCOME_WRONG_ANSWER");
}

TEST_P(TrialRunnerTest, AReferenceOnTheDeviceIsComputedOnTheSecondFillsToo) {
  v1::Trial trial = MakeTrial("good", &blobs_);
  v1::Kernel& kernel = *trial.mutable_kernels(0);
  v1::BufferFill second = kernel.fills(0);
  second.set_seed(900);
  *kernel.add_second_fills() = second;
  kernel.mutable_checks(0)->clear_reference_digest();
  *kernel.mutable_reference() = MakeTrial("big_loop", &blobs_).kernels(0).manifest();
  EXPECT_EQ(v1::Outcome_Name(Run(trial).outcome()), "OUTCOME_OK") << Run(trial).detail();
}

TEST_P(TrialRunnerTest, ReferencesOfBothFillsAreKeptTogetherEvenOverTheBound) {
  const auto runner = TrialRunner::Create({.program = TUNEFLEET_DEVICE_PROGRAM,
                                           .cores = {UsableCores().back()},
                                           .worker_lifetime = GetParam(),
                                           .fill_cache_bytes = 6000});
  ASSERT_TRUE(runner.ok()) << runner.status();
  v1::Trial trial = MakeTrial("good", &blobs_);
  v1::Kernel& kernel = *trial.mutable_kernels(0);
  v1::BufferFill second = kernel.fills(0);
  second.set_seed(900);
  *kernel.add_second_fills() = second;
  kernel.mutable_checks(0)->clear_reference_digest();
  *kernel.mutable_reference() = MakeTrial("big_loop", &blobs_).kernels(0).manifest();
  TestBlobs kernel_alone;
  MakeTrial("good", &kernel_alone);
  for (const TestBlobs* const blobs : {&blobs_, &kernel_alone}) {
    const v1::TrialResult result =
        (*runner)->Run({.trial = trial, .blobs = *blobs, .time_limit = absl::Seconds(60), .cancelled = nullptr});
    EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
  }
}

TEST_P(TrialRunnerTest, AReferenceThatTakesTooLongIsNoVerdictAndIsNotTriedAgain) {
  v1::Trial trial = MakeTrial("good", &blobs_);
  v1::Kernel& kernel = *trial.mutable_kernels(0);
  kernel.mutable_checks(0)->clear_reference_digest();
  *kernel.mutable_reference() = MakeTrial("hangs", &blobs_).kernels(0).manifest();
  const v1::TrialResult late =
      runner_->Run({.trial = trial, .blobs = blobs_, .time_limit = absl::Milliseconds(800), .cancelled = nullptr});
  EXPECT_EQ(v1::Outcome_Name(late.outcome()), "OUTCOME_NO_REFERENCE") << late.detail();
  EXPECT_EQ(late.run_time().seconds() + late.run_time().nanos(), 0) << "the reference's time is not the kernel's";
  // With an hour's limit a second try would outlast the test.
  const v1::TrialResult again =
      runner_->Run({.trial = trial, .blobs = blobs_, .time_limit = absl::Hours(1), .cancelled = nullptr});
  EXPECT_EQ(again.detail(), late.detail());
}

TEST_P(TrialRunnerTest, ARevokedTrialEndsItsRunningReference) {
  v1::Trial trial = MakeTrial("good", &blobs_);
  v1::Kernel& kernel = *trial.mutable_kernels(0);
  kernel.mutable_checks(0)->clear_reference_digest();
  *kernel.mutable_reference() = MakeTrial("hangs", &blobs_).kernels(0).manifest();
  int asked = 0;
  const auto revoked = [&] { return ++asked > 5; };
  for (int i = 0; i < 2; ++i) {
    asked = 0;
    const v1::TrialResult result =
        runner_->Run({.trial = trial, .blobs = blobs_, .time_limit = absl::Hours(1), .cancelled = revoked});
    EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_CANCELLED") << result.detail();
    EXPECT_GT(asked, 5) << "it is no failure to remember";
  }
}

// What the machine permits, asked for without the agent's own code.
bool MachineGivesAFullSandbox() {
  uint32_t action = SECCOMP_RET_TRAP;
  if (syscall(SYS_landlock_create_ruleset, nullptr, 0, 1) < 1) return false;
  if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0) return false;
  const pid_t child = fork();
  if (child == 0) {
    const int spaces = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC;
    const bool own = (geteuid() == 0 && unshare(spaces) == 0) || unshare(CLONE_NEWUSER | spaces) == 0;
    _exit(own && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                  mount("tmpfs", "/proc", "tmpfs", 0, "size=4k") == 0
              ? 0
              : 1);
  }
  int status = 1;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

TEST_P(TrialRunnerTest, TheSandboxIsFullWhereTheMachinePermits) {
  const std::vector<std::string> names = SandboxNames(runner_->sandbox());
  EXPECT_THAT(names, ::testing::IsSupersetOf({"limits", "no_new_privileges", "unprivileged", "pinned"}));
  if (!MachineGivesAFullSandbox()) GTEST_SKIP() << "this machine does not permit all measures";
  EXPECT_THAT(names, ::testing::Contains("full"));
}

TEST_P(TrialRunnerTest, AWorkerThatIsLessConfinedThanTheFirstRunsNothing) {
  const std::string flag = absl::StrCat(::testing::TempDir(), "/fewer-rights-", getpid());
  const auto runner = TrialRunner::Create({.program = TUNEFLEET_DEVICE_PROGRAM,
                                           .emulator = {TUNEFLEET_FEWER_RIGHTS, flag},
                                           .cores = {UsableCores().back()},
                                           .worker_lifetime = GetParam()});
  ASSERT_TRUE(runner.ok()) << runner.status();
  if (((*runner)->sandbox() & kSandboxLandlock) == 0) {
    ASSERT_FALSE(MachineGivesAFullSandbox());
    GTEST_SKIP() << "this machine has no Landlock";
  }
  const v1::Trial trial = MakeTrial("good", &blobs_);
  const auto run = [&] {
    return (*runner)->Run({.trial = trial, .blobs = blobs_, .time_limit = absl::Seconds(60), .cancelled = nullptr});
  };
  EXPECT_EQ(v1::Outcome_Name(run().outcome()), "OUTCOME_OK");
  const std::ofstream taken(flag);
  kill((*runner)->zygote().pid(), SIGKILL);  // the next one has less
  EXPECT_FALSE((*runner)->Probe().ok());     // lost to the loss, or refused already
  for (int i = 0; i < 2; ++i) {
    const v1::TrialResult refused = run();
    EXPECT_EQ(v1::Outcome_Name(refused.outcome()), "OUTCOME_DEVICE_ERROR");
    EXPECT_THAT(refused.detail(), HasSubstr("no longer what it was, without landlock"));
  }
  EXPECT_FALSE((*runner)->Probe().ok());
  std::filesystem::remove(flag);
  EXPECT_EQ(v1::Outcome_Name(run().outcome()), "OUTCOME_OK");
}

INSTANTIATE_TEST_SUITE_P(Lifetimes, TrialRunnerTest,
                         ::testing::Values(WorkerLifetime::kCandidate, WorkerLifetime::kPersistent),
                         [](const auto& param) { return LifetimeName(param.param); });

}  // namespace
}  // namespace tunefleet::device
