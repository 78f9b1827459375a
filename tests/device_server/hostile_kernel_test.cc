// Kernels that misbehave: each ends with the outcome of its kind, and the runner carries out the next trial.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "device_server/measure/trial_runner.h"
#include "tests/device_server/trial_fixture.h"

namespace tunefleet::device {
namespace {

using ::testing::HasSubstr;

struct Hostile {
  const char* behaviour;
  v1::Outcome outcome;
  const char* detail;  // a part of it
};

void PrintTo(const Hostile& hostile, std::ostream* out) { *out << hostile.behaviour; }

// What FORGES_REPORT and FORGES_TIMES of kernels.c take for granted.
static_assert(sizeof(WorkerReport) == 336 && static_cast<int>(WorkerReportKind::kDone) == 2);
static_assert(offsetof(WorkerReport, elapsed_ns) == 24 && offsetof(WorkerReport, sentinel_ns) == 32);
static_assert(sizeof(WorkerCommand) == 48 && static_cast<int>(WorkerCommandKind::kRun) == 4);

// A device of each lifetime for all tests.
class HostileKernelTest : public ::testing::TestWithParam<std::tuple<WorkerLifetime, Hostile>> {
 protected:
  static void SetUpTestSuite() {
    for (const WorkerLifetime lifetime : {WorkerLifetime::kCandidate, WorkerLifetime::kPersistent}) {
      absl::StatusOr<std::unique_ptr<TrialRunner>> runner = TrialRunner::Create(
          {.program = TUNEFLEET_DEVICE_PROGRAM, .cores = {0}, .worker_lifetime = lifetime, .device_id = "test"});
      ASSERT_TRUE(runner.ok()) << runner.status();
      runners_[lifetime] = *std::move(runner);
    }
  }
  static void TearDownTestSuite() { runners_.clear(); }

  static TrialRunner& Runner(WorkerLifetime lifetime) { return *runners_[lifetime]; }
  v1::TrialResult Run(const v1::Trial& trial, WorkerLifetime lifetime = WorkerLifetime::kCandidate) {
    return Runner(lifetime).Run(
        {.trial = trial, .blobs = blobs_, .time_limit = absl::Seconds(60), .cancelled = nullptr});
  }

  static inline std::map<WorkerLifetime, std::unique_ptr<TrialRunner>> runners_;
  TestBlobs blobs_;
};

TEST_P(HostileKernelTest, EndsWithItsOutcomeAndTheNextTrialRuns) {
  const auto& [lifetime, hostile] = GetParam();
  const bool persistent = lifetime == WorkerLifetime::kPersistent;
  const pid_t zygote = Runner(lifetime).zygote().pid();
  // One that leaves a worker behind, where there is such a thing.
  EXPECT_EQ(v1::Outcome_Name(Run(MakeTrial("good", &blobs_), lifetime).outcome()), "OUTCOME_OK");
  const v1::TrialResult result = Run(MakeTrial(hostile.behaviour, &blobs_), lifetime);
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), v1::Outcome_Name(hostile.outcome)) << result.detail();
  EXPECT_THAT(result.detail(), HasSubstr(hostile.detail));
  ASSERT_EQ(result.kernels_size(), 1);
  EXPECT_EQ(result.kernels(0).worker_kernels(), 0u) << "no kernel is condemned for what an earlier one left behind";
  EXPECT_EQ(absl::StrContains(result.detail(), "; before, in a worker that had had "), persistent);
  for (const bool first : {true, false}) {
    const v1::TrialResult next = Run(MakeTrial("good", &blobs_), lifetime);
    EXPECT_EQ(v1::Outcome_Name(next.outcome()), "OUTCOME_OK") << next.detail();
    ASSERT_EQ(next.kernels_size(), 1);
    EXPECT_EQ(next.kernels(0).worker_kernels(), persistent && !first ? 1u : 0u);
  }
  EXPECT_EQ(Runner(lifetime).zygote().pid(), zygote) << "the zygote did not survive";
}

INSTANTIATE_TEST_SUITE_P(
    Kernels, HostileKernelTest,
    ::testing::Combine(
        ::testing::Values(WorkerLifetime::kCandidate, WorkerLifetime::kPersistent),
        ::testing::Values(
            Hostile{"wrong_one_element", v1::OUTCOME_WRONG_ANSWER, "output 'c' element 997"},
            Hostile{"stale_accumulator", v1::OUTCOME_WRONG_ANSWER, "element 0 is nan"},
            Hostile{"writes_first_run_only", v1::OUTCOME_WRONG_ANSWER, "element 0 is nan"},
            Hostile{"reads_unwritten_workspace", v1::OUTCOME_WRONG_ANSWER, "element 5 is nan"},
            Hostile{"reads_unwritten_stack", v1::OUTCOME_WRONG_ANSWER, "element 5 is nan"},
            Hostile{"reads_unwritten_register", v1::OUTCOME_WRONG_ANSWER, "element 5 is nan"},
            Hostile{"adds_to_prepared", v1::OUTCOME_WRONG_ANSWER, "element 0 is nan"},
            Hostile{"skips_later", v1::OUTCOME_WRONG_ANSWER, "element 0 is nan"},
            Hostile{"skips_every_second", v1::OUTCOME_WRONG_ANSWER, "element 0 is nan"},
            Hostile{"works_when_judged", v1::OUTCOME_CRASHED, "when its outputs are judged"},
            Hostile{"reads_null", v1::OUTCOME_CRASHED, "SIGSEGV in run"},
            Hostile{"crashes_in_constructor", v1::OUTCOME_CRASHED, "SIGSEGV in load"},
            Hostile{"hangs", v1::OUTCOME_TIMED_OUT, "in run"},
            Hostile{"hangs_in_constructor", v1::OUTCOME_TIMED_OUT, "in load"},
            Hostile{"hangs_later", v1::OUTCOME_TIMED_OUT, "in run"}, Hostile{"exits", v1::OUTCOME_EXITED, "status 7"},
            Hostile{"exits_through_libc", v1::OUTCOME_EXITED, "status 0"},
            Hostile{"maps_without_end", v1::OUTCOME_OUT_OF_MEMORY, "allocation of 1048576 bytes in run"},
            Hostile{"breaks_without_end", v1::OUTCOME_OUT_OF_MEMORY, "allocation of 1048576 bytes in run"},
            Hostile{"mallocs_without_end", v1::OUTCOME_OUT_OF_MEMORY, "in run"},
            Hostile{"huge_bss", v1::OUTCOME_OUT_OF_MEMORY, "in load"},
            Hostile{"writes_past_output", v1::OUTCOME_CRASHED, "writing byte 4000 of buffer 'c' of 4000 bytes"},
            Hostile{"writes_before_output", v1::OUTCOME_WRONG_ANSWER, "wrote outside of buffer 'c'"},
            Hostile{"writes_input", v1::OUTCOME_CRASHED, "writing byte 12 of buffer 'a'"},
            Hostile{"writes_prepared", v1::OUTCOME_CRASHED, "writing byte 12 of buffer 'p'"},
            Hostile{"writes_past_workspace", v1::OUTCOME_CRASHED, "writing byte 4096 of the workspace's 4096"},
            Hostile{"opens_file", v1::OUTCOME_FORBIDDEN, "system call"},
            Hostile{"opens_socket", v1::OUTCOME_FORBIDDEN, "system call"},
            Hostile{"forks", v1::OUTCOME_FORBIDDEN, "system call"},
            Hostile{"kills_parent", v1::OUTCOME_FORBIDDEN, "system call"},
            Hostile{"closes_descriptors", v1::OUTCOME_FORBIDDEN, "system call"},
            Hostile{"prints_without_end", v1::OUTCOME_FORBIDDEN, "system call"},
            Hostile{"traces", v1::OUTCOME_FORBIDDEN, "system call"},
            Hostile{"catches_signals", v1::OUTCOME_FORBIDDEN, "system call"},
            Hostile{"starts_thread", v1::OUTCOME_FORBIDDEN, "system call"},
            Hostile{"removes_limits", v1::OUTCOME_FORBIDDEN, "system call"},
            Hostile{"limits_zygote", v1::OUTCOME_FORBIDDEN, "system call"},
            Hostile{"returns_error", v1::OUTCOME_CRASHED, "returned 3 in run"},
            Hostile{"fails_prepare", v1::OUTCOME_CRASHED, "returned 5 in prepare"},
            Hostile{"divides_by_zero", v1::OUTCOME_CRASHED, "SIGFPE in run"},
            Hostile{"aborts", v1::OUTCOME_CRASHED, "SIGABRT in run"},
            Hostile{"overflows_stack", v1::OUTCOME_CRASHED, "SIGSEGV in run"},
            Hostile{"forges_report", v1::OUTCOME_CRASHED, "not asked for"},
            Hostile{"forges_trap", v1::OUTCOME_CRASHED, "not asked for"},
            Hostile{"receives", v1::OUTCOME_FORBIDDEN, "system call"},
            Hostile{"closes_in_constructor", v1::OUTCOME_FORBIDDEN, "in load"},
            Hostile{"no_entry_point", v1::OUTCOME_LOAD_FAILED, "entry point"})),
    [](const auto& param) {
      return absl::StrCat(LifetimeName(std::get<0>(param.param)), "_", std::get<1>(param.param).behaviour);
    });

TEST_F(HostileKernelTest, CodeThatIsNoSharedObjectFailsToLoad) {
  const v1::TrialResult result = Run(MakeTrialOfCode("garbage", std::string(5000, 'x'), &blobs_));
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_LOAD_FAILED") << result.detail();
  const v1::TrialResult truncated = Run(MakeTrialOfCode("truncated", KernelCode("good").substr(0, 3000), &blobs_));
  EXPECT_NE(truncated.outcome(), v1::OUTCOME_OK);
  EXPECT_NE(truncated.outcome(), v1::OUTCOME_DEVICE_ERROR) << truncated.detail();
}

TEST_F(HostileKernelTest, OneThatTakesItsWorkersPlaceAndReportsShortTimesIsFound) {
  EXPECT_THAT(Run(MakeTrial("forges_times", &blobs_)).detail(), HasSubstr("longer than was reported"));
  for (const char* const absurd : {"forges_negative_times", "forges_sentinels"}) {
    EXPECT_THAT(Run(MakeTrial(absurd, &blobs_)).detail(), HasSubstr("an impossible time was reported")) << absurd;
  }
}

TEST_F(HostileKernelTest, MemoryThatIsGivenBackIsNoReasonToStop) {
  const v1::TrialResult result = Run(MakeTrial("mallocs_and_frees", &blobs_));
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_OK") << result.detail();
}

TEST_F(HostileKernelTest, AZygoteThatIsLostIsReplaced) {
  TrialRunner& runner = Runner(WorkerLifetime::kCandidate);
  const pid_t zygote = runner.zygote().pid();
  kill(zygote, SIGKILL);
  // Its loss is noticed with the next request; the trial that notices may be lost to it, the next must not be.
  Run(MakeTrial("good", &blobs_));
  const v1::TrialResult next = Run(MakeTrial("good", &blobs_));
  EXPECT_EQ(v1::Outcome_Name(next.outcome()), "OUTCOME_OK") << next.detail();
  EXPECT_NE(runner.zygote().pid(), zygote);
}

TEST_F(HostileKernelTest, ManyTrialsLeaveNothingOpen) {
  const auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  for (const WorkerLifetime lifetime : {WorkerLifetime::kCandidate, WorkerLifetime::kPersistent}) {
    Run(MakeTrial("good", &blobs_), lifetime);
    Run(MakeTrial("reads_null", &blobs_), lifetime);
    const auto before = open_files();
    for (int i = 0; i < 20; ++i) {
      Run(MakeTrial("good", &blobs_), lifetime);
      Run(MakeTrial("reads_null", &blobs_), lifetime);
    }
    EXPECT_EQ(open_files(), before);
  }
}

}  // namespace
}  // namespace tunefleet::device
