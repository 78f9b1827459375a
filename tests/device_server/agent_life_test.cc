// The real agent through outages, kills and upgrades.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/abstract_name.h"
#include "common/reserved_cores.h"
#include "device_server/describe/cpu_list.h"
#include "tests/device_server/agent_process.h"
#include "tests/device_server/fake_sys.h"
#include "tests/device_server/fake_tracker.h"
#include "tests/device_server/trial_fixture.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::device {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ResultOf;
using ::testing::SizeIs;
using ::testing::StartsWith;

class AgentLifeTest : public ::testing::Test {
 protected:
  std::string Address() const { return absl::StrCat("unix:", folder_ / "tracker"); }
  std::vector<std::string> Arguments() const {
    return {absl::StrCat("--tracker=", Address()), "--id=device-1", "--class=test", "--log-level=off",
            absl::StrCat("--state=", State())};
  }
  std::string State() const { return folder_ / "state"; }
  int KeptResults() const {
    int kept = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(State(), ignored)) {
      kept += entry.path().extension() == ".result";
    }
    return kept;
  }
  void AwaitKeptResults(int count) const {
    const absl::Time until = absl::Now() + absl::Seconds(30);
    while (KeptResults() != count && absl::Now() < until) absl::SleepFor(absl::Milliseconds(10));
    EXPECT_EQ(KeptResults(), count);
  }

  TempDir folder_;
  TestBlobs blobs_;
};

TEST_F(AgentLifeTest, AResultThatNobodyAcknowledgesOutlivesAKilledAgent) {
  v1::Finished sent;
  {
    FakeTracker tracker(Address(), &blobs_);
    AgentProcess agent(Arguments());
    tracker.Receive();
    tracker.Assign(MakeTrial("good", &blobs_), 1, "device-1");
    sent = tracker.ReceiveOf(v1::AgentMessage::kFinished).finished();
    AwaitKeptResults(1);
    agent.Signal(SIGKILL);
    EXPECT_EQ(agent.WaitForExit(), 128 + SIGKILL);
  }
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments());
  EXPECT_EQ(tracker.Receive().hello().unacknowledged_size(), 1);
  const v1::Finished resent = tracker.ReceiveOf(v1::AgentMessage::kFinished).finished();
  EXPECT_EQ(resent.SerializeAsString(), sent.SerializeAsString());
  tracker.Acknowledge(resent.lease());
  AwaitKeptResults(0);
}

TEST_F(AgentLifeTest, ADrainWithoutATrackerKeepsTheResult) {
  auto tracker = std::make_unique<FakeTracker>(Address(), &blobs_);
  AgentProcess agent(Arguments());
  tracker->Receive();
  tracker->Assign(MakeTrial("good", &blobs_), 1, "device-1");
  tracker->ReceiveOf(v1::AgentMessage::kFinished);
  tracker = nullptr;
  agent.Signal(SIGTERM);
  agent.Signal(SIGINT);  // no patience
  EXPECT_EQ(agent.WaitForExit(), 0);
  EXPECT_EQ(KeptResults(), 1);
}

TEST_F(AgentLifeTest, SighupDrainsAndStartsAnewInTheSameProcess) {
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments(), TUNEFLEET_DEVICE_PROGRAM);
  const uint64_t incarnation = tracker.Receive().hello().incarnation();
  agent.Signal(SIGHUP);
  EXPECT_TRUE(tracker.ReceiveOf(v1::AgentMessage::kDraining).has_draining());
  const v1::Hello again = tracker.ReceiveOf(v1::AgentMessage::kHello).hello();
  EXPECT_NE(again.incarnation(), incarnation);
  EXPECT_TRUE(IsAlive(agent.pid()));
  tracker.Assign(MakeTrial("good", &blobs_), 1, "device-1");
  const v1::Finished finished = tracker.ReceiveOf(v1::AgentMessage::kFinished).finished();
  EXPECT_EQ(finished.result().outcome(), v1::OUTCOME_OK) << finished.result().detail();
  tracker.Acknowledge(finished.lease());
  agent.Signal(SIGTERM);
  EXPECT_EQ(agent.WaitForExit(), 0);
}

TEST_F(AgentLifeTest, ADrainThatBeginsBeforeTheWelcomeIsToldToTheTracker) {
  FakeTracker tracker(Address(), &blobs_);
  tracker.HoldWelcomes(true);
  AgentProcess agent(Arguments());
  EXPECT_TRUE(tracker.Receive().has_hello());
  agent.Signal(SIGTERM);
  absl::SleepFor(absl::Milliseconds(200));  // not what is tested, only a chance for it to leave without a word
  tracker.HoldWelcomes(false);
  EXPECT_TRUE(tracker.ReceiveOf(v1::AgentMessage::kDraining).has_draining());
  EXPECT_EQ(agent.WaitForExit(), 0);
}

TEST_F(AgentLifeTest, ASecondSignalIsHeardWhileTheTrackerIsToldOfADrain) {
  // A tracker that answers neither the Hello nor the end of the stream would be waited for.
  for (const auto hold : {&FakeTracker::HoldWelcomes, &FakeTracker::HoldFarewells}) {
    FakeTracker tracker(Address(), &blobs_);
    (tracker.*hold)(true);
    std::vector<std::string> arguments = Arguments();
    arguments.push_back("--log-level=warning");
    ::testing::internal::CaptureStderr();  // the agent's too
    AgentProcess agent(arguments);
    EXPECT_TRUE(tracker.Receive().has_hello());
    agent.Signal(SIGTERM);
    agent.Signal(SIGINT);
    EXPECT_EQ(agent.WaitForExit(), 0);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("told to end while draining"));
  }
}

TEST_F(AgentLifeTest, AnAgentMarksItsCoresForOthersOnTheMachine) {
  const uint16_t core = UsableCores().back();
  std::vector<std::string> arguments = Arguments();
  arguments.push_back(absl::StrCat("--cores=", core));
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(arguments);
  tracker.Receive();
  EXPECT_THAT(common::CoresOfAgents(), Contains(core));
  const std::string mark = absl::StrCat(core, "/agent-", agent.pid());
  EXPECT_THAT(common::HeldAbstractNames("tunefleet/core-"), Contains(mark));
  agent.Signal(SIGTERM);
  EXPECT_EQ(agent.WaitForExit(), 0);
  EXPECT_THAT(common::HeldAbstractNames("tunefleet/core-"), Not(Contains(mark)));
}

TEST_F(AgentLifeTest, AReplacedProgramIsAnUpgrade) {
  const std::string program = folder_ / "tunefleet-device";
  std::filesystem::copy_file(TUNEFLEET_DEVICE_PROGRAM, program);
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments(), program);
  const uint64_t incarnation = tracker.Receive().hello().incarnation();
  std::filesystem::copy_file(TUNEFLEET_DEVICE_PROGRAM, folder_ / "next");
  std::filesystem::rename(folder_ / "next", program);
  const v1::Hello again = tracker.ReceiveOf(v1::AgentMessage::kHello).hello();
  EXPECT_NE(again.incarnation(), incarnation);
  EXPECT_EQ(std::filesystem::read_symlink(absl::StrCat("/proc/", agent.pid(), "/exe")), program);
}

TEST_F(AgentLifeTest, TwoDevicesOfOneAgentWorkSideBySide) {
  const std::vector<uint16_t> usable = UsableCores();
  if (usable.size() < 2) GTEST_SKIP() << "one core";
  std::vector<std::string> arguments = Arguments();
  arguments.push_back(absl::StrCat("--cores=", usable[0]));
  arguments.push_back(absl::StrCat("--also=", usable[1], ":big:device-2"));
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(arguments);
  const v1::Hello hello = tracker.Receive().hello();
  ASSERT_EQ(hello.devices_size(), 2);
  EXPECT_EQ(hello.devices(1).device_id(), "device-2");
  EXPECT_EQ(hello.devices(1).device_class(), "big");
  v1::Trial slow = MakeTrial("hangs", &blobs_);
  slow.mutable_options()->mutable_kernel_timeout()->set_seconds(50);
  tracker.Assign(slow, 1, "device-1");
  EXPECT_EQ(tracker.Receive().started().lease().device_id(), "device-1");
  tracker.Assign(MakeTrial("good", &blobs_), 2, "device-2");
  const v1::Finished finished = tracker.ReceiveOf(v1::AgentMessage::kFinished).finished();
  EXPECT_EQ(finished.lease().device_id(), "device-2");
  EXPECT_EQ(finished.result().device_id(), "device-2");
}

TEST_F(AgentLifeTest, CoresOfTwoKindsAreTwoDevices) {
  const std::vector<uint16_t> usable = UsableCores();
  if (usable.size() < 2) GTEST_SKIP() << "one core";
  FakeSys sys;
  for (const uint16_t core : usable) sys.WriteCore(core, "", core == usable.back() ? "1024" : "485", "");
  std::vector<std::string> arguments = Arguments();
  arguments.push_back(absl::StrCat("--sys-root=", sys.root()));
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(arguments);
  const v1::Hello hello = tracker.Receive().hello();
  ASSERT_EQ(hello.devices_size(), 2);
  EXPECT_EQ(hello.devices(0).device_id(), "device-1-cap485");
  EXPECT_EQ(hello.devices(1).device_id(), "device-1-cap1024");
  EXPECT_EQ(hello.devices(0).device_class(), "test-cap485");
  EXPECT_EQ(hello.devices(1).device_class(), "test-cap1024");
  EXPECT_NE(hello.devices(0).fingerprint(), hello.devices(1).fingerprint());
  EXPECT_EQ(hello.devices(0).target().cores(), 1);
  tracker.Assign(MakeTrial("good", &blobs_), 1, "device-1-cap1024");
  const v1::Finished finished = tracker.ReceiveOf(v1::AgentMessage::kFinished).finished();
  EXPECT_EQ(finished.result().outcome(), v1::OUTCOME_OK) << finished.result().detail();
  EXPECT_EQ(finished.result().device_fingerprint(), hello.devices(1).fingerprint());
  EXPECT_THAT(finished.result().telemetry().cores(), ElementsAre(usable.back()));
}

TEST_F(AgentLifeTest, ListTellsOfTheKindsOfCores) {
  const std::vector<uint16_t> usable = UsableCores();
  if (usable.size() < 2) GTEST_SKIP() << "one core";
  FakeSys sys;
  for (const uint16_t core : usable) sys.WriteCore(core, "", core == usable.back() ? "1024" : "485", "");
  const std::string command =
      absl::StrCat(TUNEFLEET_DEVICE_PROGRAM " --list --log-level=off --id=board --class=rk --sys-root=", sys.root());
  const std::string text = OutputOf(command);
  EXPECT_THAT(text, HasSubstr("device       board-cap485\nclass        rk-cap485\n"));
  EXPECT_THAT(text, HasSubstr("device       board-cap1024\nclass        rk-cap1024\n"));
  EXPECT_THAT(text, HasSubstr("attribute    core_kind = cap1024\n"));
  EXPECT_THAT(text,
              HasSubstr(absl::StrCat("core group   --cores=", usable.back(), " (cap1024, told by cpu_capacity)")));
  const std::vector<std::string> lines = absl::StrSplit(OutputOf(command + " --json"), '\n', absl::SkipEmpty());
  EXPECT_THAT(lines, ElementsAre(HasSubstr("rk-cap485"), HasSubstr("rk-cap1024")));
}

TEST_F(AgentLifeTest, APersistentWorkerEndsWithItsAgent) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    FakeTracker tracker(Address(), &blobs_);
    std::vector<std::string> arguments = Arguments();
    arguments.push_back("--worker=persistent");
    AgentProcess agent(arguments);
    const v1::Hello hello = tracker.Receive().hello();
    EXPECT_THAT(hello.devices(0).attributes(), Contains(ResultOf(
                                                   [](const v1::DeviceAttribute& attribute) {
                                                     return absl::StrCat(attribute.name(), "=", attribute.values(0));
                                                   },
                                                   "worker=persistent")));
    for (uint32_t i = 0; i < 3; ++i) {
      v1::Trial trial = MakeTrial("good", &blobs_);
      trial.set_trial_id(absl::StrCat("trial-", i));
      tracker.Assign(trial, i + 1, "device-1");
      const v1::Finished finished = tracker.ReceiveOf(v1::AgentMessage::kFinished).finished();
      tracker.Acknowledge(finished.lease());
      ASSERT_EQ(finished.result().kernels_size(), 1) << finished.result().detail();
      EXPECT_EQ(finished.result().kernels(0).worker_kernels(), i);
    }
    const std::vector<pid_t> descendants = DescendantsOf(agent.pid());
    EXPECT_THAT(descendants, SizeIs(3)) << "the zygote, the first process of its namespace, a worker";
    agent.Signal(signal);
    EXPECT_EQ(agent.WaitForExit(), signal == SIGTERM ? 0 : 128 + SIGKILL);
    const absl::Time until = absl::Now() + absl::Seconds(30);
    for (const pid_t pid : descendants) {
      while (IsAlive(pid) && absl::Now() < until) absl::SleepFor(absl::Milliseconds(10));
      EXPECT_FALSE(IsAlive(pid));
    }
  }
}

TEST_F(AgentLifeTest, AProbeIsAnsweredBetweenTrials) {
  FakeTracker tracker(Address(), &blobs_);
  AgentProcess agent(Arguments());
  tracker.Receive();
  v1::TrackerMessage message;
  message.mutable_probe()->set_probe(7);
  message.mutable_probe()->set_device_id("device-1");
  tracker.Send(message);
  const v1::Probed probed = tracker.ReceiveOf(v1::AgentMessage::kProbed).probed();
  EXPECT_EQ(probed.probe(), 7u);
  EXPECT_EQ(probed.device_id(), "device-1");
  EXPECT_TRUE(probed.healthy());
  EXPECT_THAT(probed.detail(), HasSubstr("confined"));
}

TEST_F(AgentLifeTest, AProbeOfAZygoteThatHangsIsAnsweredAndTheNextOneFindsAnother) {
  FakeTracker tracker(Address(), &blobs_, absl::Minutes(1));
  AgentProcess agent(Arguments());
  tracker.Receive();
  const std::vector<pid_t> zygote = DescendantsOf(agent.pid());  // one or, with a namespace of processes, two
  ASSERT_FALSE(zygote.empty());
  for (const pid_t process : zygote) kill(process, SIGSTOP);
  const auto probe = [&](uint64_t number) {
    v1::TrackerMessage message;
    message.mutable_probe()->set_probe(number);
    message.mutable_probe()->set_device_id("device-1");
    tracker.Send(message);
    return tracker.ReceiveOf(v1::AgentMessage::kProbed).probed();
  };
  const v1::Probed hung = probe(1);
  EXPECT_EQ(hung.probe(), 1u);
  EXPECT_FALSE(hung.healthy());
  EXPECT_THAT(hung.detail(), HasSubstr("the zygote is lost"));
  for (const pid_t process : zygote) EXPECT_FALSE(IsAlive(process));
  const v1::Probed well = probe(2);
  EXPECT_TRUE(well.healthy()) << well.detail();
  EXPECT_THAT(DescendantsOf(agent.pid()), SizeIs(zygote.size()));
}

// Where a service manager listens.
class Manager {
 public:
  explicit Manager(const std::string& path) : socket_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
  }
  ~Manager() { close(socket_); }

  std::string Hear() const {
    char text[64] = {};
    const ssize_t count = recv(socket_, text, sizeof(text), 0);
    return std::string(text, count > 0 ? static_cast<size_t>(count) : 0);
  }

 private:
  const int socket_;
};

TEST_F(AgentLifeTest, TheServiceManagerHearsThatTheAgentIsReadyAndWell) {
  const Manager manager(folder_ / "notify");
  setenv("WATCHDOG_USEC", "400000", 1);
  AgentProcess agent(Arguments());
  unsetenv("NOTIFY_SOCKET");
  unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(manager.Hear(), "READY=1");
  EXPECT_EQ(manager.Hear(), "WATCHDOG=1");
  EXPECT_EQ(manager.Hear(), "WATCHDOG=1");
  agent.Signal(SIGTERM);
  EXPECT_EQ(agent.WaitForExit(), 0);
  std::string last;
  while (!last.starts_with("STOPPING")) last = manager.Hear();
  EXPECT_THAT(last, StartsWith("STOPPING=1"));
}

TEST_F(AgentLifeTest, AStartAnewIsAReloadToTheServiceManager) {
  const Manager manager(folder_ / "notify");
  AgentProcess agent(Arguments(), TUNEFLEET_DEVICE_PROGRAM);
  unsetenv("NOTIFY_SOCKET");
  EXPECT_EQ(manager.Hear(), "READY=1");
  agent.Signal(SIGHUP);
  EXPECT_THAT(manager.Hear(), ::testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  EXPECT_EQ(manager.Hear(), "READY=1") << "from the new start";
  agent.Signal(SIGTERM);
  EXPECT_EQ(manager.Hear(), "STOPPING=1");
  EXPECT_EQ(agent.WaitForExit(), 0);
}

}  // namespace
}  // namespace tunefleet::device
