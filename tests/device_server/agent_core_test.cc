#include "device_server/fleet/agent_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tunefleet::device {
namespace {

v1::Lease Lease(const std::string& trial, uint64_t counter, uint64_t epoch = 1) {
  v1::Lease lease;
  lease.set_trial_id(trial);
  lease.set_device_id("d");
  lease.mutable_fence()->set_epoch(epoch);
  lease.mutable_fence()->set_counter(counter);
  return lease;
}

v1::TrackerMessage Assign(const v1::Lease& lease) {
  v1::TrackerMessage message;
  *message.mutable_assign()->mutable_lease() = lease;
  message.mutable_assign()->mutable_trial()->set_trial_id(lease.trial_id());
  return message;
}

v1::TrackerMessage Ack(const v1::Lease& lease, v1::Acknowledgement acknowledgement) {
  v1::TrackerMessage message;
  *message.mutable_ack()->mutable_lease() = lease;
  message.mutable_ack()->set_acknowledgement(acknowledgement);
  return message;
}

v1::TrackerMessage Revoke(const v1::Lease& lease) {
  v1::TrackerMessage message;
  *message.mutable_revoke()->mutable_lease() = lease;
  return message;
}

v1::TrackerMessage Welcome(std::vector<v1::Lease> revoked = {}) {
  v1::TrackerMessage message;
  message.mutable_welcome()->set_protocol(1);
  for (auto& lease : revoked) *message.mutable_welcome()->add_revoked() = lease;
  return message;
}

class AgentCoreTest : public ::testing::Test {
 protected:
  AgentCoreTest() : core_(Hello()) {
    core_.Open();
    core_.OnMessage(Welcome());
  }
  static v1::Hello Hello() {
    v1::Hello hello;
    hello.set_agent_id("a");
    hello.set_incarnation(5);
    hello.add_devices()->set_device_id("d");
    return hello;
  }
  AgentCore::Messages Start(const v1::Lease& lease) {
    AgentCore::Messages messages;
    EXPECT_TRUE(core_.Start(lease, &messages));
    return messages;
  }
  AgentCore core_;
};

TEST_F(AgentCoreTest, HelloNamesDevicesAndProtocolAndNothingHeld) {
  AgentCore core(Hello());
  const v1::Hello hello = core.Open().hello();
  EXPECT_EQ(hello.agent_id(), "a");
  EXPECT_EQ(hello.incarnation(), 5u);
  EXPECT_EQ(hello.protocol_min(), 1u);
  EXPECT_EQ(hello.protocol_max(), 1u);
  EXPECT_EQ(hello.held_size() + hello.unacknowledged_size(), 0);
}

TEST_F(AgentCoreTest, TrialsAreStartedInTheOrderAssigned) {
  core_.OnMessage(Assign(Lease("t1", 1)));
  core_.OnMessage(Assign(Lease("t2", 2)));
  EXPECT_EQ(core_.Next("d")->trial().trial_id(), "t1");
  const AgentCore::Messages started = Start(Lease("t1", 1));
  ASSERT_EQ(started.size(), 1u);
  EXPECT_EQ(started[0].started().lease().trial_id(), "t1");
  EXPECT_EQ(core_.Next("d")->trial().trial_id(), "t2");
  EXPECT_EQ(core_.Next("other"), nullptr);
}

TEST_F(AgentCoreTest, AResultIsResentOnEveryStreamUntilAcknowledged) {
  for (const auto ack : {v1::ACKNOWLEDGEMENT_RECORDED, v1::ACKNOWLEDGEMENT_DUPLICATE, v1::ACKNOWLEDGEMENT_STALE}) {
    const v1::Lease lease = Lease("t", 7);
    core_.OnMessage(Assign(lease));
    Start(lease);
    EXPECT_EQ(core_.Finish(lease, {}).size(), 1u);
    for (int i = 0; i < 3; ++i) {
      core_.Close();
      EXPECT_EQ(core_.Open().hello().unacknowledged_size(), 1);
      const AgentCore::Messages resent = core_.OnMessage(Welcome());
      ASSERT_EQ(resent.size(), 1u);
      EXPECT_EQ(resent[0].finished().lease().trial_id(), "t");
    }
    core_.OnMessage(Ack(Lease("t", 8), ack));
    EXPECT_EQ(core_.unacknowledged().size(), 1u) << "an acknowledgement of another lease";
    core_.OnMessage(Ack(lease, ack));
    EXPECT_EQ(core_.unacknowledged().size(), 0u);
    core_.Close();
    EXPECT_EQ(core_.Open().hello().unacknowledged_size(), 0);
    EXPECT_TRUE(core_.OnMessage(Welcome()).empty());
  }
}

// As many samples as there may be, of numbers of the usual size.
v1::TrialResult LargeResult() {
  v1::TrialResult result;
  result.set_trial_id("t");
  for (int k = 0; k < 16; ++k) {
    v1::KernelResult& kernel = *result.add_kernels();
    kernel.set_latency_ns(1000 + k);
    for (int i = 0; i < 250; ++i) {
      v1::Sample& sample = *kernel.add_samples();
      sample.set_total_ns(3000000000 + i);
      sample.set_runs(3000);
      sample.set_begin_ns(30000000000 + 3000000 * i);
      sample.set_preemptions(1);
      sample.set_sentinel_ns(20000);
    }
  }
  return result;
}

constexpr size_t kMostMessageBytes = 64 << 10;  // proto/fleet.proto

TEST_F(AgentCoreTest, ALargeResultKeepsWhatOneMessageHolds) {
  ASSERT_GT(LargeResult().ByteSizeLong(), kMostMessageBytes);
  core_.OnMessage(Assign(Lease("t", 1)));
  Start(Lease("t", 1));
  const AgentCore::Messages messages = core_.Finish(Lease("t", 1), LargeResult());
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_LE(messages[0].ByteSizeLong(), kMostMessageBytes);
  const v1::TrialResult& kept = messages[0].finished().result();
  EXPECT_THAT(kept.detail(), ::testing::HasSubstr("of 4000 raw samples are kept"));
  ASSERT_EQ(kept.kernels_size(), 16);
  for (const v1::KernelResult& kernel : kept.kernels()) {
    EXPECT_GT(kernel.samples_size(), 80);
    EXPECT_EQ(kernel.samples_size(), kept.kernels(0).samples_size()) << "evenly";
    EXPECT_EQ(kernel.samples(0).total_ns(), 3000000000u);
    EXPECT_GT(kernel.samples(kernel.samples_size() - 1).total_ns(), 3000000000u + 240) << "over all of the time";
  }
  EXPECT_EQ(kept.kernels(15).latency_ns(), 1015u);
}

TEST_F(AgentCoreTest, ManyLargeResultsOfAnEarlierRunFitTheirMessages) {
  std::vector<v1::Finished> left(256);
  for (size_t i = 0; i < left.size(); ++i) {
    *left[i].mutable_lease() = Lease(std::string(60, 't') + std::to_string(i), i + 1);
    left[i].mutable_lease()->set_device_id(std::string(128, 'd'));
  }
  *left[0].mutable_result() = LargeResult();
  AgentCore core(Hello(), left);
  EXPECT_LE(core.Open().ByteSizeLong(), kMostMessageBytes);
  const AgentCore::Messages messages = core.OnMessage(Welcome());
  EXPECT_EQ(messages.size(), left.size());
  for (const v1::AgentMessage& message : messages) EXPECT_LE(message.ByteSizeLong(), kMostMessageBytes);
}

TEST_F(AgentCoreTest, ResultsOfAnEarlierRunAreToldAndSentUntilAcknowledged) {
  v1::Finished left;
  *left.mutable_lease() = Lease("old", 3);
  AgentCore core(Hello(), {left});
  EXPECT_EQ(core.Open().hello().unacknowledged(0).trial_id(), "old");
  EXPECT_EQ(core.OnMessage(Welcome())[0].finished().lease().trial_id(), "old");
  core.OnMessage(Ack(Lease("old", 3), v1::ACKNOWLEDGEMENT_STALE));
  EXPECT_TRUE(core.unacknowledged().empty());
}

TEST_F(AgentCoreTest, ChecksAreTakenInOrderByTheirDeviceAndEndWithTheStream) {
  v1::TrackerMessage message;
  message.mutable_probe()->set_device_id("d");
  for (const uint64_t probe : {1, 2, 3}) {
    message.mutable_probe()->set_probe(probe);
    core_.OnMessage(message);
  }
  EXPECT_FALSE(core_.TakeProbe("other").has_value());
  EXPECT_EQ(core_.TakeProbe("d")->probe(), 1u);
  EXPECT_EQ(core_.TakeProbe("d")->probe(), 2u);
  v1::Probed probed;
  probed.set_probe(2);
  EXPECT_EQ(core_.Answer(probed).at(0).probed().probe(), 2u);
  core_.Close();
  core_.Open();
  EXPECT_FALSE(core_.TakeProbe("d").has_value());
  EXPECT_TRUE(core_.Answer(probed).empty());
}

TEST_F(AgentCoreTest, WhatHappensWhileDisconnectedIsToldAfterTheNextWelcome) {
  core_.OnMessage(Assign(Lease("t1", 1)));
  core_.OnMessage(Assign(Lease("t2", 2)));
  core_.OnMessage(Assign(Lease("t3", 3)));
  Start(Lease("t1", 1));
  core_.Close();
  EXPECT_TRUE(core_.Finish(Lease("t1", 1), {}).empty());
  EXPECT_TRUE(Start(Lease("t2", 2)).empty());
  const v1::Hello hello = core_.Open().hello();
  EXPECT_EQ(hello.held_size(), 2);
  EXPECT_EQ(hello.unacknowledged_size(), 1);
  EXPECT_TRUE(core_.Finish(Lease("t2", 2), {}).empty()) << "nothing goes out before the welcome";
  const AgentCore::Messages messages = core_.OnMessage(Welcome());
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[0].finished().lease().trial_id(), "t1");
  EXPECT_EQ(messages[1].finished().lease().trial_id(), "t2");
}

TEST_F(AgentCoreTest, ARunningTrialIsToldAgainAfterAReconnect) {
  core_.OnMessage(Assign(Lease("t1", 1)));
  Start(Lease("t1", 1));
  core_.Close();
  core_.Open();
  const AgentCore::Messages messages = core_.OnMessage(Welcome());
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_TRUE(messages[0].has_started());
}

TEST_F(AgentCoreTest, ARevokedTrialIsNeitherStartedNorReported) {
  core_.OnMessage(Assign(Lease("queued", 1)));
  core_.OnMessage(Assign(Lease("running", 2)));
  Start(Lease("running", 2));
  core_.OnMessage(Revoke(Lease("queued", 1)));
  AgentCore::Messages messages;
  EXPECT_FALSE(core_.Start(Lease("queued", 1), &messages));
  EXPECT_FALSE(core_.Revoked(Lease("running", 2)));
  core_.Close();
  core_.Open();
  EXPECT_TRUE(core_.OnMessage(Welcome({Lease("running", 2)})).empty());
  EXPECT_TRUE(core_.Revoked(Lease("running", 2)));
  EXPECT_TRUE(core_.Finish(Lease("running", 2), {}).empty());
  EXPECT_EQ(core_.unacknowledged().size(), 0u);
}

TEST_F(AgentCoreTest, TheSameTrialUnderALaterFenceIsAnotherLease) {
  core_.OnMessage(Assign(Lease("t", 1, 1)));
  Start(Lease("t", 1, 1));
  core_.OnMessage(Revoke(Lease("t", 1, 1)));
  core_.OnMessage(Assign(Lease("t", 1, 2)));
  EXPECT_TRUE(core_.Finish(Lease("t", 1, 1), {}).empty());
  EXPECT_EQ(Start(Lease("t", 1, 2)).size(), 1u);
  EXPECT_EQ(core_.Finish(Lease("t", 1, 2), {}).size(), 1u);
}

TEST_F(AgentCoreTest, ARepeatedAssignmentIsOneTrial) {
  core_.OnMessage(Assign(Lease("t", 1)));
  core_.OnMessage(Assign(Lease("t", 1)));
  EXPECT_EQ(core_.Assigned().size(), 1u);
}

TEST_F(AgentCoreTest, AnAssignmentForAnotherDeviceGoesBack) {
  v1::Lease lease = Lease("t", 1);
  lease.set_device_id("elsewhere");
  const AgentCore::Messages messages = core_.OnMessage(Assign(lease));
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].returned().leases(0).device_id(), "elsewhere");
}

TEST_F(AgentCoreTest, DrainReturnsWhatIsNotStartedAndWaitsForTheRest) {
  core_.OnMessage(Assign(Lease("t1", 1)));
  core_.OnMessage(Assign(Lease("t2", 2)));
  Start(Lease("t1", 1));
  const AgentCore::Messages messages = core_.Drain();
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_TRUE(messages[0].has_draining());
  ASSERT_EQ(messages[1].returned().leases_size(), 1);
  EXPECT_EQ(messages[1].returned().leases(0).trial_id(), "t2");
  EXPECT_EQ(core_.Next("d"), nullptr);
  EXPECT_EQ(core_.OnMessage(Assign(Lease("t3", 3)))[0].returned().leases(0).trial_id(), "t3");
  EXPECT_FALSE(core_.Drained());
  core_.Finish(Lease("t1", 1), {});
  EXPECT_FALSE(core_.Drained()) << "the result is not acknowledged yet";
  core_.OnMessage(Ack(Lease("t1", 1), v1::ACKNOWLEDGEMENT_RECORDED));
  EXPECT_TRUE(core_.Drained());
}

TEST_F(AgentCoreTest, ADrainIsToldAgainAfterAReconnect) {
  core_.Close();
  EXPECT_TRUE(core_.Drain().empty());
  core_.Open();
  const AgentCore::Messages messages = core_.OnMessage(Welcome());
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_TRUE(messages[0].has_draining());
}

TEST_F(AgentCoreTest, AStreamGreetsFromItsHelloToItsWelcome) {
  EXPECT_FALSE(core_.greeting());
  core_.Close();
  EXPECT_FALSE(core_.greeting()) << "nobody is there to answer";
  core_.Open();
  EXPECT_TRUE(core_.greeting());
  core_.OnMessage(Welcome());
  EXPECT_FALSE(core_.greeting());
}

TEST_F(AgentCoreTest, ATrackerCannotMakeItHoldWithoutBound) {
  AgentCore::Messages last;
  for (uint64_t i = 0; i < 100; ++i) last = core_.OnMessage(Assign(Lease("t" + std::to_string(i), i)));
  ASSERT_EQ(last.size(), 1u);
  EXPECT_TRUE(last[0].has_returned());
}

}  // namespace
}  // namespace tunefleet::device
