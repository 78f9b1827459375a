// What the core makes of what agents say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tracker/core_harness.h"
#include "tracker/core/deadline.h"

namespace tunefleet::tracker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// One job "j", one agent "a" on stream 1 with devices.
class CoreAgentsTest : public ::testing::Test {
 protected:
  void SetUp() override { t.Open("j"); }
  CoreHarness t;
};

TEST_F(CoreAgentsTest, DeviceGetsOneTrialToRunAndOnePrefetched) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1"), MakeTrial("t2", "2"), MakeTrial("t3", "3")});
  EXPECT_THAT(t.AssignedTrials(), ElementsAre("t1", "t2"));
  const v1::Lease first = t.Assigned()[0];
  t.Start(1, first);
  EXPECT_THAT(t.AssignedTrials(), IsEmpty());
  t.Finish(1, first);
  EXPECT_THAT(t.AssignedTrials(), ElementsAre("t3"));
}

TEST_F(CoreAgentsTest, IdleDevicesAreServedBeforePrefetching) {
  t.Hello(1, MakeHello("a", 1, {"d1", "d2"}));
  t.SubmitTo("j", {MakeTrial("t1", "1"), MakeTrial("t2", "2")});
  ASSERT_EQ(t.Assigned().size(), 2u);
  EXPECT_NE(t.Assigned()[0].device_id(), t.Assigned()[1].device_id());
}

TEST_F(CoreAgentsTest, LeaseIsCommittedBeforeItIsAssigned) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  ASSERT_EQ(t.Ops<PutLease>().size(), 1u);
  const uint64_t commit = t.All<Commit>().front().number;
  for (const Action& action : t.actions) {
    if (std::holds_alternative<SendToAgent>(action.what)) {
      EXPECT_EQ(action.waits_for, commit);
    }
  }
}

TEST_F(CoreAgentsTest, ResultIsCommittedBeforeItIsAcknowledgedAndShown) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  const v1::Lease lease = t.Assigned()[0];
  v1::WatchRequest watch;
  watch.set_job_id("j");
  t.Feed(StartWatch{7, watch});
  t.Finish(1, lease);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_RECORDED);
  ASSERT_EQ(t.Ops<PutResult>().size(), 1u);
  ASSERT_EQ(t.All<SendResult>().size(), 1u);
  const uint64_t commit = t.All<Commit>().front().number;
  for (const Action& action : t.actions) {
    if (!std::holds_alternative<Commit>(action.what)) {
      EXPECT_EQ(action.waits_for, commit);
    }
  }
}

TEST_F(CoreAgentsTest, ResentResultIsADuplicateAndOlderFenceIsStale) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  const v1::Lease old_lease = t.Assigned()[0];
  t.Feed(AgentReturned{1, {old_lease}, "busy"});
  const v1::Lease lease = t.Assigned()[0];
  t.Finish(1, old_lease);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_STALE);
  EXPECT_THAT(t.Ops<PutResult>(), IsEmpty());
  t.Finish(1, lease);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_RECORDED);
  t.Finish(1, lease);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_DUPLICATE);
  t.Finish(1, old_lease);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_STALE);
  EXPECT_EQ(t.Results("j").size(), 1u);
}

TEST_F(CoreAgentsTest, DuplicateAcknowledgementWaitsForTheResultsCommit) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  const v1::Lease lease = t.Assigned()[0];
  t.Finish(1, lease);
  const uint64_t commit = t.All<Commit>().front().number;
  t.Finish(1, lease);
  EXPECT_THAT(t.All<Commit>(), IsEmpty());
  ASSERT_EQ(t.actions.size(), 1u);
  EXPECT_EQ(t.actions[0].waits_for, commit);
}

TEST_F(CoreAgentsTest, ResultUnderAReturnedButNewestFenceCounts) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  const v1::Lease lease = t.Assigned()[0];
  t.Feed(AgentLost{1});
  t.Advance(absl::Seconds(16));  // back in the queue, leased to nobody
  t.Hello(2, MakeHello("a", 1, {}));
  t.Finish(2, lease);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_RECORDED);
  t.Hello(3, MakeHello("b", 1, {"e"}));
  EXPECT_THAT(t.AssignedTrials(), IsEmpty());
}

TEST_F(CoreAgentsTest, FencesRiseFromLeaseToLease) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  const Fence first = FenceFromProto(t.Assigned()[0].fence());
  t.Feed(AgentReturned{1, t.Assigned(), "busy"});
  EXPECT_GT(FenceFromProto(t.Assigned()[0].fence()), first);
}

TEST_F(CoreAgentsTest, BrokenStreamRevokesNothingBeforeTheGracePeriod) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  t.Feed(AgentLost{1});
  EXPECT_EQ(t.Device("d").state(), v1::DEVICE_STATE_LOST);
  t.Hello(2, MakeHello("b", 1, {"e"}));
  EXPECT_THAT(t.AssignedTrials(), IsEmpty());
  t.Advance(absl::Seconds(14));
  EXPECT_THAT(t.AssignedTrials(), IsEmpty());
  t.Advance(absl::Seconds(1));
  EXPECT_THAT(t.AssignedTrials(), ElementsAre("t1"));
}

TEST_F(CoreAgentsTest, ReconnectedAgentKeepsListedLeasesAndLosesUnlistedOnesAtOnce) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1"), MakeTrial("t2", "2")});
  const std::vector<v1::Lease> leases = t.Assigned();
  t.Hello(2, MakeHello("b", 1, {"e"}));
  t.Feed(AgentLost{1});
  v1::Hello hello = MakeHello("a", 1, {"d"});
  *hello.add_held() = leases[0];
  t.Hello(3, hello);
  EXPECT_THAT(t.RevokedTrials(), IsEmpty());
  EXPECT_THAT(t.AssignedTrials(), ElementsAre("t2"));
  EXPECT_EQ(t.Assigned()[0].device_id(), "e") << "the idle device goes first";
  t.Finish(3, leases[0]);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_RECORDED);
}

TEST_F(CoreAgentsTest, UnacknowledgedLeaseWaitsForItsResult) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  const v1::Lease lease = t.Assigned()[0];
  t.Feed(AgentLost{1});
  v1::Hello hello = MakeHello("a", 2, {"d"});
  *hello.add_unacknowledged() = lease;
  t.Hello(2, hello);
  EXPECT_THAT(t.AssignedTrials(), IsEmpty());
  t.Finish(2, lease);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_RECORDED);
}

TEST_F(CoreAgentsTest, HeldLeaseThatWentElsewhereIsRevoked) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  const v1::Lease lease = t.Assigned()[0];
  t.Feed(AgentLost{1});
  t.Hello(2, MakeHello("b", 1, {"e"}));
  t.Advance(absl::Seconds(15));
  ASSERT_THAT(t.AssignedTrials(), ElementsAre("t1"));
  v1::Hello hello = MakeHello("a", 1, {"d"});
  *hello.add_held() = lease;
  t.Hello(3, hello);
  EXPECT_THAT(t.RevokedTrials(), ElementsAre("t1"));
  t.Start(3, lease);
  EXPECT_THAT(t.RevokedTrials(), ElementsAre("t1")) << "an answer to a start that must not be";
}

TEST_F(CoreAgentsTest, NewStreamOfTheSameAgentTakesOver) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.Hello(2, MakeHello("a", 1, {"d"}));
  ASSERT_EQ(t.All<CloseStream>().size(), 1u);
  EXPECT_EQ(t.All<CloseStream>()[0].stream, 1u);
  EXPECT_EQ(t.All<CloseStream>()[0].status.code(), absl::StatusCode::kAborted);
  t.Feed(AgentLost{1});
  EXPECT_EQ(t.Device("d").state(), v1::DEVICE_STATE_FREE) << "the old stream's end means nothing";
}

TEST_F(CoreAgentsTest, DeviceIdOfAConnectedAgentIsRefusedToAnother) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.Hello(2, MakeHello("b", 1, {"d"}));
  ASSERT_EQ(t.All<CloseStream>().size(), 1u);
  EXPECT_EQ(t.All<CloseStream>()[0].stream, 2u);
  t.Feed(AgentLost{1});
  t.Hello(3, MakeHello("b", 1, {"d"}));
  EXPECT_EQ(t.Device("d").agent_id(), "b");
}

TEST_F(CoreAgentsTest, ResultsForAnotherAgentsDeviceAreStale) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.Hello(2, MakeHello("b", 1, {"e"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  const v1::Lease lease = t.Assigned()[0];
  const StreamId other = lease.device_id() == "d" ? 2 : 1;
  t.Finish(other, lease);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_STALE);
  EXPECT_TRUE(t.Results("j").empty());
  t.Finish(3 - other, lease);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_RECORDED);
}

TEST_F(CoreAgentsTest, AgentsAndDevicesAreLimited) {
  CoreHarness small(Settings{.max_agents = 2, .max_devices = 3});
  small.Hello(1, MakeHello("a", 1, {"d"}));
  small.Hello(2, MakeHello("b", 1, {"e", "f"}));
  small.Hello(3, MakeHello("c", 1, {"f"}));
  ASSERT_EQ(small.All<CloseStream>().size(), 1u);
  small.Hello(4, MakeHello("b", 2, {"e", "f", "g"}));
  ASSERT_EQ(small.All<CloseStream>().size(), 1u);
  EXPECT_EQ(small.All<CloseStream>()[0].status.code(), absl::StatusCode::kResourceExhausted);
  small.Hello(5, MakeHello("b", 2, {"e", "f"}));
  EXPECT_EQ(small.Device("f").state(), v1::DEVICE_STATE_FREE);
}

v1::Probed Answer(const CoreHarness& t, bool healthy) {
  v1::Probed probed;
  for (const SendToAgent& sent : t.All<SendToAgent>()) {
    if (!sent.message.has_probe()) continue;
    probed.set_probe(sent.message.probe().probe());
    probed.set_device_id(sent.message.probe().device_id());
  }
  probed.set_healthy(healthy);
  probed.set_detail("looked at");
  return probed;
}

TEST_F(CoreAgentsTest, ProbeIsAnsweredByTheDevicesAgent) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.Hello(2, MakeHello("b", 1, {"e"}));
  t.Feed(ProbeDevice{5, "d"});
  ASSERT_EQ(t.All<SendToAgent>().size(), 1u);
  EXPECT_EQ(t.All<SendToAgent>()[0].stream, 1u);
  const v1::Probed answer = Answer(t, true);
  t.Feed(AgentProbed{2, answer});
  EXPECT_TRUE(t.All<Reply>().empty()) << "of another agent";
  t.Feed(AgentProbed{1, answer});
  EXPECT_TRUE(t.Status().ok());
  EXPECT_EQ(std::get<v1::ProbeDeviceResponse>(t.All<Reply>()[0].response).detail(), "looked at");
  t.Feed(AgentProbed{1, answer});
  EXPECT_TRUE(t.All<Reply>().empty()) << "answered twice";
}

TEST_F(CoreAgentsTest, FailedProbeQuarantinesAndAHealthyOneEndsTheQuarantine) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.Feed(ProbeDevice{5, "d"});
  t.Feed(AgentProbed{1, Answer(t, false)});
  EXPECT_FALSE(std::get<v1::ProbeDeviceResponse>(t.All<Reply>()[0].response).healthy());
  EXPECT_EQ(t.Device("d").state(), v1::DEVICE_STATE_QUARANTINED);
  EXPECT_THAT(t.Device("d").reason(), ::testing::HasSubstr("looked at"));
  EXPECT_EQ(t.Ops<PutDevice>().size(), 1u);
  t.Feed(ProbeDevice{6, "d"});
  t.Feed(AgentProbed{1, Answer(t, true)});
  EXPECT_EQ(t.Device("d").state(), v1::DEVICE_STATE_FREE);
}

TEST_F(CoreAgentsTest, ProbeOfADeviceThatIsNotThereFailsAtOnceAndOneThatIsLostSoon) {
  t.Feed(ProbeDevice{5, "d"});
  EXPECT_EQ(t.Status().code(), absl::StatusCode::kNotFound);
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.Feed(ProbeDevice{6, "d"});
  EXPECT_TRUE(t.All<Reply>().empty());
  t.Feed(AgentLost{1});
  t.Feed(ProbeDevice{7, "d"});
  EXPECT_EQ(t.Status().code(), absl::StatusCode::kUnavailable);
  t.Advance(absl::Seconds(1));
  EXPECT_EQ(t.Status().code(), absl::StatusCode::kUnavailable) << "the first one";
  t.Hello(2, MakeHello("a", 1, {"d"}));
  t.Feed(ProbeDevice{8, "d"});
  t.Advance(absl::Minutes(3));
  EXPECT_EQ(t.Status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(CoreAgentsTest, MessageBeforeHelloClosesTheStream) {
  t.Feed(AgentDraining{9});
  ASSERT_EQ(t.All<CloseStream>().size(), 1u);
  EXPECT_EQ(t.All<CloseStream>()[0].status.code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(CoreAgentsTest, DrainingDeviceGetsNothingMoreAndItsReturnsGoElsewhere) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1"), MakeTrial("t2", "2")});
  const std::vector<v1::Lease> leases = t.Assigned();
  t.Start(1, leases[0]);
  t.Feed(AgentDraining{1});
  EXPECT_EQ(t.Device("d").state(), v1::DEVICE_STATE_DRAINING);
  t.Feed(AgentReturned{1, {leases[1]}, "draining"});
  EXPECT_THAT(t.AssignedTrials(), IsEmpty());
  t.Hello(2, MakeHello("b", 1, {"e"}));
  EXPECT_THAT(t.AssignedTrials(), ElementsAre("t2"));
  t.Finish(1, leases[0]);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_RECORDED);
}

TEST_F(CoreAgentsTest, OnlyStartedTrialsAreBlamedForALostDevice) {
  t.SubmitTo("j", {MakeTrial("bad", "1"), MakeTrial("good", "2")});
  for (int i = 0; i < 3; ++i) {
    t.Hello(1 + i, MakeHello("a", 1 + i, {"d"}));
    const std::vector<v1::Lease> leases = t.Assigned();
    ASSERT_THAT(t.AssignedTrials(), ElementsAre("bad", "good"));
    t.Start(1 + i, leases[0]);
    t.Feed(AgentLost{StreamId(1 + i)});
    t.Advance(absl::Seconds(15));
  }
  const std::vector<SendResult> results = t.Results("j");
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].result->trial_id(), "bad");
  EXPECT_EQ(results[0].result->outcome(), v1::OUTCOME_LOST_DEVICE);
  EXPECT_EQ(t.JobState("j").queued(), 1u);
}

TEST_F(CoreAgentsTest, RestartedAgentThatForgotAStartedTrialIsBlamedToo) {
  t.SubmitTo("j", {MakeTrial("bad", "1")});
  for (int i = 0; i < 3; ++i) {
    t.Hello(1 + i, MakeHello("a", 1 + i, {"d"}));
    ASSERT_THAT(t.AssignedTrials(), ElementsAre("bad"));
    t.Start(1 + i, t.Assigned()[0]);
  }
  t.Hello(4, MakeHello("a", 4, {"d"}));
  EXPECT_THAT(t.AssignedTrials(), IsEmpty());
  EXPECT_EQ(t.Results("j")[0].result->outcome(), v1::OUTCOME_LOST_DEVICE);
}

TEST_F(CoreAgentsTest, DeviceErrorsInARowQuarantineADeviceAndABackOffEndsIt) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  std::vector<v1::Trial> trials;
  for (int i = 0; i < 8; ++i) trials.push_back(MakeTrial("t" + std::to_string(i), std::to_string(i)));
  t.SubmitTo("j", trials);
  std::vector<v1::Lease> leases = t.Assigned();
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(t.Device("d").state(), v1::DEVICE_STATE_QUARANTINED);
    t.Finish(1, leases[i], v1::OUTCOME_DEVICE_ERROR);
    for (const v1::Lease& lease : t.Assigned()) leases.push_back(lease);
  }
  EXPECT_EQ(t.Device("d").state(), v1::DEVICE_STATE_QUARANTINED);
  EXPECT_THAT(t.Device("d").reason(), HasSubstr("as the test says"));
  EXPECT_THAT(t.RevokedTrials(), ElementsAre("t3")) << "what was prefetched goes back";
  t.Advance(absl::Seconds(29));
  EXPECT_THAT(t.AssignedTrials(), IsEmpty());
  t.Advance(absl::Seconds(1));
  EXPECT_THAT(t.AssignedTrials(), ElementsAre("t3")) << "one trial at a time";
  t.Finish(1, t.Assigned()[0], v1::OUTCOME_DEVICE_ERROR);
  EXPECT_EQ(t.Device("d").state(), v1::DEVICE_STATE_QUARANTINED) << "one failure is enough now";
  t.Advance(absl::Seconds(59));
  EXPECT_THAT(t.AssignedTrials(), IsEmpty()) << "the back-off doubles";
  t.Advance(absl::Seconds(1));
  ASSERT_THAT(t.AssignedTrials(), ElementsAre("t4"));
  t.Finish(1, t.Assigned()[0]);
  EXPECT_THAT(t.AssignedTrials(), ElementsAre("t5", "t6")) << "a success ends the caution";
}

TEST_F(CoreAgentsTest, AnyOtherOutcomeEndsTheRowOfDeviceErrors) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  for (int i = 0; i < 9; ++i) {
    t.SubmitTo("j", {MakeTrial("t" + std::to_string(i), std::to_string(i))});
    t.Finish(1, t.Assigned()[0], i % 3 == 2 ? v1::OUTCOME_CRASHED : v1::OUTCOME_DEVICE_ERROR);
  }
  EXPECT_EQ(t.Device("d").state(), v1::DEVICE_STATE_FREE);
  EXPECT_EQ(t.Device("d").trials_finished(), 9u);
}

TEST_F(CoreAgentsTest, AMissingReferenceAndARefusedTrialAreResultsAndNotTheDevicesFault) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  for (int i = 0; i < 8; ++i) {
    const v1::Outcome outcome = i < 4 ? v1::OUTCOME_NO_REFERENCE : v1::OUTCOME_REFUSED;
    t.SubmitTo("j", {MakeTrial("t" + std::to_string(i), std::to_string(i))});
    ASSERT_EQ(t.Assigned().size(), 1u) << "a device in quarantine gets nothing";
    t.Finish(1, t.Assigned()[0], outcome);
    EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_RECORDED);
    EXPECT_EQ(t.Results("j").back().result->outcome(), outcome);
    EXPECT_THAT(t.Results("j").back().result->detail(), HasSubstr("as the test says"));
  }
  EXPECT_EQ(t.Device("d").state(), v1::DEVICE_STATE_FREE);
}

TEST_F(CoreAgentsTest, DeviceThatKeepsReturningWorkIsQuarantined) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(t.Assigned().size(), 1u);
    t.Feed(AgentReturned{1, t.Assigned(), "no disk"});
  }
  EXPECT_EQ(t.Device("d").state(), v1::DEVICE_STATE_QUARANTINED);
  EXPECT_THAT(t.Device("d").reason(), HasSubstr("no disk"));
  EXPECT_EQ(t.JobState("j").queued(), 1u);
}

TEST_F(CoreAgentsTest, DeviceStatesSumToTheTotal) {
  t.Hello(1, MakeHello("a", 1, {"leased", "free"}));
  t.Hello(2, MakeHello("b", 1, {"draining"}));
  t.Feed(AgentDraining{2});
  t.Hello(3, MakeHello("c", 1, {"lost"}));
  t.Feed(AgentLost{3});
  v1::Trial trial = MakeTrial("t1", "1");
  v1::Condition* condition = trial.mutable_requirement()->add_conditions();
  condition->set_attribute("id");
  condition->add_all_of("leased");
  t.SubmitTo("j", {trial});
  EXPECT_EQ(t.core.ListDevices(t.now).devices_size(), 4);
  EXPECT_EQ(t.Device("leased").state(), v1::DEVICE_STATE_LEASED);
  EXPECT_EQ(t.Device("free").state(), v1::DEVICE_STATE_FREE);
  EXPECT_EQ(t.Device("draining").state(), v1::DEVICE_STATE_DRAINING);
  EXPECT_EQ(t.Device("lost").state(), v1::DEVICE_STATE_LOST);
}

TEST_F(CoreAgentsTest, BusyTimeIsTheTimeWithAStartedTrial) {
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  const v1::Lease lease = t.Assigned()[0];
  t.Advance(absl::Seconds(2));
  t.Start(1, lease);
  t.Advance(absl::Seconds(3));
  EXPECT_EQ(t.Device("d").busy().seconds(), 3);
  t.Finish(1, lease);
  t.Advance(absl::Seconds(5));
  EXPECT_EQ(t.Device("d").busy().seconds(), 3);
  EXPECT_EQ(t.Device("d").connected().seconds(), 10);
  EXPECT_EQ(t.Results("j")[0].result->queue_time().seconds(), 0);
}

}  // namespace
}  // namespace tunefleet::tracker
