// The real agent against a tracker in the test.
#include "device_server/fleet/agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/child_process.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/measure/core_lock.h"
#include "tests/device_server/agent_process.h"
#include "tests/device_server/fake_tracker.h"
#include "tests/device_server/trial_fixture.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::device {
namespace {

using ::testing::HasSubstr;

class AgentTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // What an agent leaves behind becomes a child of this process, zombies included. What the killed agent of an
    // earlier test left may still be ending.
    ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    while (waitpid(-1, nullptr, 0) > 0) {
    }
  }
  std::string Address() const { return absl::StrCat("unix:", folder_ / "tracker"); }
  std::vector<std::string> Arguments() const {
    return {absl::StrCat("--tracker=", Address()), "--id=device-1", "--class=test", "--log-level=off"};
  }
  // All processes of the agent; none may outlive it.
  std::vector<pid_t> Family(pid_t agent) {
    std::vector<pid_t> family = DescendantsOf(agent);
    EXPECT_GE(family.size(), 2u) << "zygote and its parent";
    return family;
  }
  static void ExpectGone(const std::vector<pid_t>& pids) {
    const absl::Time until = absl::Now() + absl::Seconds(30);
    for (const pid_t pid : pids) {
      while (IsAlive(pid) && absl::Now() < until) absl::SleepFor(absl::Milliseconds(5));
      EXPECT_FALSE(IsAlive(pid)) << pid;
    }
  }
  // An agent that ended in good order has ended and reaped all that it started.
  static void ExpectNothingLeft() {
    const pid_t left = waitpid(-1, nullptr, WNOHANG);
    EXPECT_TRUE(left < 0 && errno == ECHILD) << "left: " << left;
  }
  v1::Finished RunTrial(FakeTracker* tracker, const v1::Trial& trial, uint64_t counter) {
    tracker->Assign(trial, counter, "device-1");
    return tracker->ReceiveOf(v1::AgentMessage::kFinished).finished();
  }

  TempDir folder_;
  TestBlobs blobs_;
};

TEST_F(AgentTest, IntroducesItselfAndCarriesOutTrialsInOrder) {
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments());
  const v1::Hello hello = tracker.Receive().hello();
  ASSERT_EQ(hello.devices_size(), 1);
  EXPECT_EQ(hello.devices(0).device_id(), "device-1");
  EXPECT_EQ(hello.devices(0).device_class(), "test");
  EXPECT_FALSE(hello.devices(0).target().cpu().empty());
  EXPECT_FALSE(hello.devices(0).fingerprint().empty());

  tracker.Assign(MakeTrial("good", &blobs_), 1, "device-1");
  tracker.Assign(MakeTrial("reads_null", &blobs_), 2, "device-1");
  EXPECT_EQ(tracker.Receive().started().lease().trial_id(), "trial-good");
  const v1::Finished first = tracker.Receive().finished();
  EXPECT_EQ(v1::Outcome_Name(first.result().outcome()), "OUTCOME_OK") << first.result().detail();
  EXPECT_EQ(first.lease().fence().counter(), 1u);
  EXPECT_EQ(first.result().device_id(), "device-1");
  EXPECT_EQ(first.result().device_fingerprint(), hello.devices(0).fingerprint());
  EXPECT_EQ(tracker.Receive().started().lease().trial_id(), "trial-reads_null");
  EXPECT_EQ(v1::Outcome_Name(tracker.Receive().finished().result().outcome()), "OUTCOME_CRASHED");
}

// In this process, because nobody else is told.
TEST_F(AgentTest, AnAgentThatWaitsForItsCoresForTooLongIsNotAlive) {
  const std::string scope = absl::StrCat("-hang-", getpid());
  const std::vector<uint16_t> cores = {UsableCores().back()};
  const auto soon = [](const std::function<bool()>& condition) {
    const absl::Time until = absl::Now() + absl::Seconds(30);
    while (!condition() && absl::Now() < until) absl::SleepFor(absl::Milliseconds(1));
    return condition();
  };
  FakeTracker tracker(Address(), &blobs_);
  auto runner = TrialRunner::Create({.program = TUNEFLEET_DEVICE_PROGRAM, .cores = cores, .device_id = "device-1"});
  ASSERT_TRUE(runner.ok()) << runner.status();
  Agent::Options options{.tracker = Address(), .lock_scope = scope, .longest_turn = absl::Milliseconds(20)};
  options.hello.set_agent_id("a");
  options.hello.add_devices()->set_device_id("device-1");
  Agent agent(options, {{.device_id = "device-1", .cores = cores, .runner = runner->get()}}, nullptr);
  EXPECT_TRUE(agent.Alive());
  std::optional<CoreLock> theirs = CoreLock::Acquire(cores, scope, [] { return false; });
  tracker.Receive();
  tracker.Assign(MakeTrial("good", &blobs_), 1, "device-1");
  EXPECT_TRUE(soon([&] { return !agent.Alive(); }));
  theirs.reset();
  EXPECT_EQ(tracker.ReceiveOf(v1::AgentMessage::kFinished).finished().result().outcome(), v1::OUTCOME_OK);
  EXPECT_TRUE(soon([&] { return agent.Alive(); }));
}

TEST_F(AgentTest, WaitsForATrackerThatComesLater) {
  AgentProcess agent(Arguments());
  absl::SleepFor(absl::Milliseconds(300));  // not what is tested, only a chance for it to fail
  FakeTracker tracker(Address(), &blobs_);
  EXPECT_TRUE(tracker.Receive().has_hello());
}

TEST_F(AgentTest, AResultIsResentAfterAReconnectUntilItIsAcknowledged) {
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments());
  const uint64_t incarnation = tracker.Receive().hello().incarnation();
  const v1::Finished finished = RunTrial(&tracker, MakeTrial("good", &blobs_), 1);
  tracker.BreakStream();
  const v1::Hello again = tracker.ReceiveOf(v1::AgentMessage::kHello).hello();
  EXPECT_EQ(again.incarnation(), incarnation);
  ASSERT_EQ(again.unacknowledged_size(), 1);
  EXPECT_EQ(again.held_size(), 0);
  const v1::Finished resent = tracker.ReceiveOf(v1::AgentMessage::kFinished).finished();
  EXPECT_EQ(resent.SerializeAsString(), finished.SerializeAsString());
  tracker.Acknowledge(resent.lease());
  // The acknowledgement is known to have arrived when a later trial is done.
  const v1::Finished second = RunTrial(&tracker, MakeTrial("big_loop", &blobs_), 2);
  tracker.BreakStream();
  const v1::Hello third = tracker.ReceiveOf(v1::AgentMessage::kHello).hello();
  ASSERT_EQ(third.unacknowledged_size(), 1);
  EXPECT_EQ(third.unacknowledged(0).trial_id(), second.lease().trial_id());
}

TEST_F(AgentTest, ATrackerThatDiesAndComesBackGetsTheResult) {
  auto tracker = std::make_unique<FakeTracker>(Address(), &blobs_);
  AgentProcess agent(Arguments());
  tracker->Receive();
  RunTrial(tracker.get(), MakeTrial("good", &blobs_), 1);
  tracker = nullptr;
  tracker = std::make_unique<FakeTracker>(Address(), &blobs_);
  EXPECT_EQ(tracker->ReceiveOf(v1::AgentMessage::kHello).hello().unacknowledged_size(), 1);
  EXPECT_EQ(tracker->ReceiveOf(v1::AgentMessage::kFinished).finished().lease().trial_id(), "trial-good");
}

TEST_F(AgentTest, BrokenDownloadsAreResumed) {
  FakeTracker tracker(Address(), &blobs_);
  tracker.BreakDownloads(5);
  AgentProcess agent(Arguments());
  tracker.Receive();
  EXPECT_EQ(RunTrial(&tracker, MakeTrial("good", &blobs_), 1).result().outcome(), v1::OUTCOME_OK);
}

TEST_F(AgentTest, ABlobThatTheTrackerDoesNotHaveIsADeviceError) {
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments());
  tracker.Receive();
  v1::Trial trial = MakeTrial("good", &blobs_);
  trial.mutable_kernels(0)->mutable_manifest()->set_code_digest(std::string(32, 'x'));
  const v1::TrialResult result = RunTrial(&tracker, trial, 1).result();
  EXPECT_EQ(v1::Outcome_Name(result.outcome()), "OUTCOME_DEVICE_ERROR");
  EXPECT_THAT(result.detail(), HasSubstr("no such blob"));
  EXPECT_EQ(RunTrial(&tracker, MakeTrial("good", &blobs_), 2).result().outcome(), v1::OUTCOME_OK);
}

TEST_F(AgentTest, ARevokedTrialIsNotReported) {
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments());
  tracker.Receive();
  tracker.Assign(MakeTrial("hangs", &blobs_), 1, "device-1");
  const v1::Lease lease = tracker.Receive().started().lease();
  v1::TrackerMessage revoke;
  *revoke.mutable_revoke()->mutable_lease() = lease;
  tracker.Send(revoke);
  EXPECT_EQ(RunTrial(&tracker, MakeTrial("good", &blobs_), 2).lease().trial_id(), "trial-good");
}

TEST_F(AgentTest, SigtermDrains) {
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments());
  tracker.Receive();
  v1::Trial slow = MakeTrial("hangs", &blobs_);
  tracker.Assign(slow, 1, "device-1");
  tracker.Assign(MakeTrial("good", &blobs_), 2, "device-1");
  EXPECT_TRUE(tracker.Receive().has_started());
  const std::vector<pid_t> family = Family(agent.pid());
  agent.Signal(SIGTERM);
  EXPECT_TRUE(tracker.Receive().has_draining());
  const v1::Returned returned = tracker.Receive().returned();
  ASSERT_EQ(returned.leases_size(), 1);
  EXPECT_EQ(returned.leases(0).trial_id(), "trial-good");
  const v1::Finished finished = tracker.Receive().finished();
  EXPECT_EQ(v1::Outcome_Name(finished.result().outcome()), "OUTCOME_TIMED_OUT");
  tracker.Acknowledge(finished.lease());
  EXPECT_EQ(agent.WaitForExit(), 0);
  ExpectNothingLeft();
  ExpectGone(family);
}

TEST_F(AgentTest, AnIdleAgentEndsAtOnceOnSigterm) {
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments());
  tracker.Receive();
  agent.Signal(SIGTERM);
  EXPECT_EQ(agent.WaitForExit(), 0);
  ExpectNothingLeft();
}

TEST_F(AgentTest, ASecondSigtermEndsTheTrial) {
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments());
  tracker.Receive();
  v1::Trial slow = MakeTrial("hangs", &blobs_);
  slow.mutable_options()->mutable_kernel_timeout()->set_seconds(50);
  tracker.Assign(slow, 1, "device-1");
  EXPECT_TRUE(tracker.Receive().has_started());
  agent.Signal(SIGTERM);
  EXPECT_TRUE(tracker.Receive().has_draining());
  agent.Signal(SIGTERM);
  EXPECT_EQ(agent.WaitForExit(), 0);
  ExpectNothingLeft();
}

TEST_F(AgentTest, EverythingEndsWithTheLifelineAndTheFolderGoes) {
  const std::string doomed = folder_ / "doomed";
  std::filesystem::create_directory(doomed);
  std::ofstream(doomed + "/file") << "x";
  FakeTracker tracker(Address(), &blobs_);
  std::vector<std::string> arguments = Arguments();
  arguments.push_back("--remove-dir-at-exit=" + doomed);
  AgentProcess agent(arguments);
  tracker.Receive();
  v1::Trial slow = MakeTrial("hangs", &blobs_);
  slow.mutable_options()->mutable_kernel_timeout()->set_seconds(50);
  tracker.Assign(slow, 1, "device-1");
  EXPECT_TRUE(tracker.Receive().has_started());
  const std::vector<pid_t> family = Family(agent.pid());
  agent.CloseLifeline();
  EXPECT_EQ(agent.WaitForExit(), 0);
  ExpectNothingLeft();
  ExpectGone(family);
  EXPECT_FALSE(std::filesystem::exists(doomed));
}

TEST_F(AgentTest, NothingOutlivesAKilledAgent) {
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments());
  tracker.Receive();
  v1::Trial slow = MakeTrial("hangs", &blobs_);
  slow.mutable_options()->mutable_kernel_timeout()->set_seconds(50);
  tracker.Assign(slow, 1, "device-1");
  EXPECT_TRUE(tracker.Receive().has_started());
  const std::vector<pid_t> family = Family(agent.pid());
  agent.Signal(SIGKILL);
  EXPECT_EQ(agent.WaitForExit(), 128 + SIGKILL);
  ExpectGone(family);
}

TEST_F(AgentTest, TwoAgentsOfOneMachineTakeTurnsOnACore) {
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments());
  tracker.Receive();
  const std::string other_address = absl::StrCat("unix:", folder_ / "other");
  FakeTracker other_tracker(other_address, &blobs_);
  AgentProcess other({absl::StrCat("--tracker=", other_address), "--id=device-1", "--class=test", "--log-level=off"});
  other_tracker.Receive();
  for (uint64_t i = 1; i <= 5; ++i) {
    v1::Trial trial = MakeTrial("good", &blobs_);
    tracker.Assign(trial, i, "device-1");
    other_tracker.Assign(trial, i, "device-1");
    EXPECT_EQ(tracker.ReceiveOf(v1::AgentMessage::kFinished).finished().result().outcome(), v1::OUTCOME_OK);
    EXPECT_EQ(other_tracker.ReceiveOf(v1::AgentMessage::kFinished).finished().result().outcome(), v1::OUTCOME_OK);
  }
}

TEST(AgentCommandTest, WrongArgumentsEndWithStatusTwo) {
  for (const char* argument : {"--tracker=nowhere", "--bogus=1", "--cores=9999999", "--log-level=loud"}) {
    common::ChildOptions options;
    options.arguments = {TUNEFLEET_DEVICE_PROGRAM, "--tracker=localhost:1", argument};
    const absl::StatusOr<pid_t> pid = common::StartChild(options);
    ASSERT_TRUE(pid.ok());
    const absl::StatusOr<int> status = common::WaitChild(*pid, absl::Seconds(30));
    ASSERT_TRUE(status.ok());
    EXPECT_EQ(common::DescribeWaitStatus(*status), "exit status 2") << argument;
  }
}

}  // namespace
}  // namespace tunefleet::device
