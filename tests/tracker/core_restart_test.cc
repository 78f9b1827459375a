// A core that is built again from what was committed carries on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tracker/core_harness.h"
#include "tests/tracker/memory_store.h"

namespace tunefleet::tracker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A job with t1 leased and started on d, t2 prefetched, t3 queued; then the tracker restarts.
class CoreRestartTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CoreHarness before;
    const auto save = [&] {
      for (const Commit& commit : before.All<Commit>()) ASSERT_TRUE(store.Apply(commit).ok());
    };
    before.Open("j");
    save();
    before.Hello(1, MakeHello("a", 1, {"d"}));
    before.SubmitTo("j", {MakeTrial("t0", "0"), MakeTrial("t1", "1"), MakeTrial("t2", "2"), MakeTrial("t3", "3")});
    save();
    leases = before.Assigned();
    before.Start(1, leases[0]);
    save();
    before.Finish(1, leases[0]);
    save();
    finished = leases[0];
    leases = {leases[1], before.Assigned()[0]};
    before.Start(1, leases[0]);
    save();
    after = std::make_unique<CoreHarness>(Settings(), store.Load(2));
  }

  MemoryStore store;
  v1::Lease finished;             // t0
  std::vector<v1::Lease> leases;  // t1, t2
  std::unique_ptr<CoreHarness> after;
};

TEST_F(CoreRestartTest, DurableLeasesAreHeldUntilTheAgentComesBack) {
  after->Hello(1, MakeHello("b", 1, {"e"}));
  EXPECT_THAT(after->AssignedTrials(), ElementsAre("t3"));
  v1::Hello hello = MakeHello("a", 1, {"d"});
  *hello.add_held() = leases[0];
  *hello.add_held() = leases[1];
  after->Hello(2, hello);
  EXPECT_THAT(after->RevokedTrials(), IsEmpty());
  after->Finish(2, leases[0]);
  EXPECT_EQ(after->Ack(), v1::ACKNOWLEDGEMENT_RECORDED);
  EXPECT_EQ(after->Results("j").size(), 2u);
}

TEST_F(CoreRestartTest, HelloReleasesWhatTheAgentDoesNotHold) {
  v1::Hello hello = MakeHello("a", 1, {"d"});
  *hello.add_held() = leases[0];
  after->Hello(1, hello);
  EXPECT_THAT(after->AssignedTrials(), ElementsAre("t2"));
  EXPECT_EQ(after->Assigned()[0].fence().epoch(), 2u);
}

TEST_F(CoreRestartTest, UnacknowledgedResultIsTakenAndAnAcknowledgedOneIsADuplicate) {
  v1::Hello hello = MakeHello("a", 2, {"d"});
  *hello.add_unacknowledged() = finished;
  *hello.add_unacknowledged() = leases[0];
  after->Hello(1, hello);
  after->Finish(1, finished);
  EXPECT_EQ(after->Ack(), v1::ACKNOWLEDGEMENT_DUPLICATE);
  after->Finish(1, leases[0]);
  EXPECT_EQ(after->Ack(), v1::ACKNOWLEDGEMENT_RECORDED);
}

TEST_F(CoreRestartTest, AgentThatStaysAwayLosesItsLeasesAfterTheGracePeriod) {
  after->Hello(1, MakeHello("b", 1, {"e"}));
  EXPECT_EQ(after->Device("d").state(), v1::DEVICE_STATE_LOST);
  after->Advance(absl::Seconds(14));
  EXPECT_THAT(after->AssignedTrials(), IsEmpty());
  after->Advance(absl::Seconds(1));
  EXPECT_THAT(after->AssignedTrials(), ElementsAre("t1"));
  EXPECT_EQ(after->Ops<DropLease>().size(), 2u);
  EXPECT_EQ(after->Ops<DropLease>()[0].blames, 1) << "t1 was started";
  EXPECT_EQ(after->Ops<DropLease>()[1].blames, 0) << "t2 was not";
}

TEST_F(CoreRestartTest, DevicesAndTheirQuarantineCarryOnUntilTheAgentItselfRestarts) {
  CoreHarness before(Settings(), store.Load(2));
  const auto save = [&] {
    for (const Commit& commit : before.All<Commit>()) ASSERT_TRUE(store.Apply(commit).ok());
  };
  before.Hello(1, MakeHello("a", 1, {"d"}));
  save();
  before.Feed(ProbeDevice{5, "d"});
  v1::Probed probed;
  probed.set_probe(1);
  probed.set_device_id("d");
  probed.set_detail("broken");
  before.Feed(AgentProbed{1, probed});
  save();
  CoreHarness restarted(Settings(), store.Load(3));
  EXPECT_EQ(restarted.Device("d").state(), v1::DEVICE_STATE_LOST);
  EXPECT_EQ(restarted.Device("d").device().device_class(), before.Device("d").device().device_class());
  restarted.Hello(1, MakeHello("a", 1, {"d"}));
  EXPECT_EQ(restarted.Device("d").state(), v1::DEVICE_STATE_QUARANTINED);
  EXPECT_EQ(restarted.Device("d").reason(), before.Device("d").reason());
  restarted.Hello(2, MakeHello("a", 2, {"d"}));
  EXPECT_NE(restarted.Device("d").state(), v1::DEVICE_STATE_QUARANTINED);
}

TEST_F(CoreRestartTest, DrainedDevicesAreNotMissedAfterARestart) {
  CoreHarness before(Settings(), store.Load(2));
  const auto save = [&] {
    for (const Commit& commit : before.All<Commit>()) ASSERT_TRUE(store.Apply(commit).ok());
  };
  before.Hello(1, MakeHello("a", 1, {"d"}));
  save();
  before.Feed(AgentDraining{1});
  save();
  CoreHarness restarted(Settings{.power_cycle_after = absl::Seconds(1)}, store.Load(3));
  restarted.Advance(absl::Hours(1));
  EXPECT_TRUE(restarted.All<PowerCycle>().empty());
}

TEST_F(CoreRestartTest, ResultsCursorsAndAcknowledgementsCarryOn) {
  EXPECT_EQ(after->Results("j").at(0).result->trial_id(), "t0");
  v1::Hello hello = MakeHello("a", 1, {"d"});
  *hello.add_held() = leases[0];
  after->Hello(1, hello);
  after->Finish(1, leases[0]);
  EXPECT_EQ(after->Results("j").at(1).cursor, 2u);
  after->SubmitTo("j", {MakeTrial("t0", "0")});
  EXPECT_THAT(after->Ops<PutTrial>(), IsEmpty()) << "a trial that has its result never runs again";
}

}  // namespace
}  // namespace tunefleet::tracker
