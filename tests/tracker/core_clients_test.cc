// What the core makes of what clients say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tracker/core_harness.h"

namespace tunefleet::tracker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::SubmitResponse Submitted(const CoreHarness& t) {
  return std::get<v1::SubmitResponse>(t.All<Reply>().at(0).response);
}

TEST(CoreClientsTest, TrialsOfOneJobRunInTheOrderOfSubmission) {
  CoreHarness t;
  t.Open("j");
  t.SubmitTo("j", {MakeTrial("t3", "3"), MakeTrial("t1", "1")});
  t.SubmitTo("j", {MakeTrial("t2", "2")});
  t.Hello(1, MakeHello("a", 1, {"d"}));
  EXPECT_THAT(t.RunAll(1), ElementsAre("t3", "t1", "t2"));
}

TEST(CoreClientsTest, TenantsShareADeviceTrialByTrialHoweverManyTheyHave) {
  CoreHarness t;
  t.Open("big", "alice");
  t.Open("small", "bob");
  std::vector<v1::Trial> many;
  for (int i = 0; i < 6; ++i) many.push_back(MakeTrial("a" + std::to_string(i), "a" + std::to_string(i)));
  t.SubmitTo("big", many);
  t.SubmitTo("small", {MakeTrial("b0", "b0"), MakeTrial("b1", "b1")});
  t.Hello(1, MakeHello("a", 1, {"d"}));
  EXPECT_THAT(t.RunAll(1), ElementsAre("a0", "b0", "a1", "b1", "a2", "a3", "a4", "a5"));
}

TEST(CoreClientsTest, PriorityCountsInsideATenantAndNotAgainstAnother) {
  CoreHarness t;
  t.Open("low", "alice", 0);
  t.Open("high", "alice", 5);
  t.Open("other", "bob", -5);
  t.SubmitTo("low", {MakeTrial("l0", "l0"), MakeTrial("l1", "l1")});
  t.SubmitTo("high", {MakeTrial("h0", "h0"), MakeTrial("h1", "h1")});
  t.SubmitTo("other", {MakeTrial("o0", "o0"), MakeTrial("o1", "o1")});
  t.Hello(1, MakeHello("a", 1, {"d"}));
  EXPECT_THAT(t.RunAll(1), ElementsAre("h0", "o0", "h1", "o1", "l0", "l1"));
}

TEST(CoreClientsTest, OpeningAJobAgainChangesItsPlaceInLine) {
  CoreHarness t;
  t.Open("first", "alice", 0);
  t.Open("second", "alice", 0);
  t.SubmitTo("first", {MakeTrial("f", "f")});
  t.SubmitTo("second", {MakeTrial("s", "s")});
  t.Open("second", "alice", 1);
  t.Hello(1, MakeHello("a", 1, {"d"}));
  EXPECT_THAT(t.RunAll(1), ElementsAre("s", "f"));
}

TEST(CoreClientsTest, TrialGoesOnlyToDevicesThatMeetItsRequirement) {
  CoreHarness t;
  t.Open("j");
  t.SubmitTo("j", {MakeTrial("arm", "1", "rk3399"), MakeTrial("any", "2")});
  t.Hello(1, MakeHello("a", 1, {"d"}));  // class cpu
  EXPECT_THAT(t.RunAll(1), ElementsAre("any"));
  v1::Hello hello = MakeHello("b", 1, {"e"});
  hello.mutable_devices(0)->set_device_class("rk3399");
  t.Hello(2, hello);
  EXPECT_THAT(t.RunAll(2), ElementsAre("arm"));
}

TEST(CoreClientsTest, SubmitIsIdempotentEvenAfterTheResultWasAcknowledged) {
  CoreHarness t;
  t.Open("j");
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  const v1::Lease lease = t.Assigned()[0];
  for (int round = 0; round < 3; ++round) {
    t.SubmitTo("j", {MakeTrial("t1", "1")});
    EXPECT_THAT(Submitted(t).accepted(), ElementsAre("t1"));
    EXPECT_THAT(t.Ops<PutTrial>(), IsEmpty());
    EXPECT_THAT(t.AssignedTrials(), IsEmpty());
    EXPECT_EQ(t.All<ReleaseBlobs>().size(), 1u) << "a repeat's pins are undone";
    if (round == 0) t.Finish(1, lease);
    v1::AcknowledgeRequest acknowledge;
    acknowledge.set_job_id("j");
    acknowledge.set_cursor(round == 1 ? 1 : 0);
    t.Feed(Acknowledge{50, acknowledge});
    EXPECT_TRUE(t.Status().ok());
  }
}

TEST(CoreClientsTest, TrialWithMissingBlobsIsNotAcceptedAndTheOthersAre) {
  CoreHarness t;
  t.Open("j");
  const auto whole = std::make_shared<const v1::Trial>(MakeTrial("whole", "1"));
  const auto lacking = std::make_shared<const v1::Trial>(MakeTrial("lacking", "2"));
  t.Feed(Submit{5, "j", {{whole, {}}, {lacking, {"blob"}}}});
  EXPECT_THAT(Submitted(t).accepted(), ElementsAre("whole"));
  EXPECT_THAT(Submitted(t).missing(), ElementsAre("blob"));
  EXPECT_THAT(t.All<ReleaseBlobs>(), IsEmpty());
}

TEST(CoreClientsTest, SubmitErrorsAreTypedAndChangeNothing) {
  Settings settings;
  settings.max_trials_per_job = 2;
  CoreHarness t(settings);
  t.SubmitTo("none", {MakeTrial("t1", "1")});
  EXPECT_EQ(t.Status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(t.All<ReleaseBlobs>().size(), 1u);
  t.Open("j");
  t.Open("k");
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  t.SubmitTo("k", {MakeTrial("t2", "2"), MakeTrial("t1", "1")});
  EXPECT_EQ(t.Status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(t.Ops<PutTrial>(), IsEmpty());
  t.SubmitTo("j", {MakeTrial("t3", "3"), MakeTrial("t4", "4")});
  EXPECT_EQ(t.Status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(t.Status().message()), HasSubstr("limit of 2"));
  EXPECT_EQ(t.JobState("j").queued(), 1u);
}

TEST(CoreClientsTest, TwinsInFlightRunOnceAndBothGetTheResult) {
  CoreHarness t;
  t.Open("j", "alice");
  t.Open("k", "bob");
  t.Hello(1, MakeHello("a", 1, {"d1", "d2"}));
  t.SubmitTo("j", {MakeTrial("t1", "same")});
  const v1::Lease lease = t.Assigned()[0];
  t.SubmitTo("k", {MakeTrial("t2", "same")});
  EXPECT_THAT(t.AssignedTrials(), IsEmpty());
  t.Finish(1, lease);
  EXPECT_EQ(t.Results("j").at(0).result->trial_id(), "t1");
  EXPECT_EQ(t.Results("k").at(0).result->trial_id(), "t2");
  t.SubmitTo("k", {MakeTrial("t3", "same")});
  EXPECT_THAT(t.AssignedTrials(), ElementsAre("t3")) << "only those in flight are shared";
}

TEST(CoreClientsTest, RepeatNumberOptsOutOfSharing) {
  CoreHarness t;
  t.Open("j");
  t.Hello(1, MakeHello("a", 1, {"d"}));
  v1::Trial again = MakeTrial("t2", "same");
  again.set_repeat(1);
  t.SubmitTo("j", {MakeTrial("t1", "same"), again});
  EXPECT_THAT(t.AssignedTrials(), ElementsAre("t1", "t2"));
}

TEST(CoreClientsTest, TwinWhoseLeaseIsLostIsQueuedAgainWithItsRiders) {
  CoreHarness t;
  t.Open("j", "alice");
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "same"), MakeTrial("t2", "same")});
  ASSERT_THAT(t.AssignedTrials(), ElementsAre("t1"));
  t.Feed(AgentLost{1});
  t.Advance(absl::Seconds(15));
  t.Hello(2, MakeHello("b", 1, {"e"}));
  EXPECT_THAT(t.RunAll(2), ElementsAre("t1"));
  EXPECT_EQ(t.Results("j").size(), 2u);
}

TEST(CoreClientsTest, RiderThatIsCancelledLeavesTheRunToItsTwin) {
  CoreHarness t;
  t.Open("j", "alice");
  t.Open("k", "bob");
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "same")});
  const v1::Lease lease = t.Assigned()[0];
  t.SubmitTo("k", {MakeTrial("t2", "same")});
  t.Feed(CancelJob{9, "k"});
  EXPECT_EQ(t.Results("k").at(0).result->outcome(), v1::OUTCOME_CANCELLED);
  t.Finish(1, lease);
  EXPECT_EQ(t.Results("j").at(0).result->outcome(), v1::OUTCOME_OK);
  EXPECT_EQ(t.Results("k").size(), 1u);
}

TEST(CoreClientsTest, CursorCountsResultsFromOneAndWatchStartsAfterIt) {
  CoreHarness t;
  t.Open("j");
  t.SubmitTo("j", {MakeTrial("t1", "1"), MakeTrial("t2", "2"), MakeTrial("t3", "3")});
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.RunAll(1);
  const std::vector<SendResult> all = t.Results("j");
  ASSERT_EQ(all.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(all[i].cursor, i + 1);
  ASSERT_EQ(t.Results("j", 2).size(), 1u);
  EXPECT_EQ(t.Results("j", 2)[0].cursor, 3u);
}

TEST(CoreClientsTest, ResultsAreKeptUntilAcknowledgedAndNoLonger) {
  CoreHarness t;
  t.Open("j");
  t.SubmitTo("j", {MakeTrial("t1", "1"), MakeTrial("t2", "2")});
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.RunAll(1);
  v1::AcknowledgeRequest request;
  request.set_job_id("j");
  request.set_cursor(3);
  t.Feed(Acknowledge{1, request});
  EXPECT_EQ(t.Status().code(), absl::StatusCode::kOutOfRange);
  request.set_cursor(1);
  t.Feed(Acknowledge{2, request});
  EXPECT_EQ(t.Ops<ForgetResults>().size(), 1u);
  ASSERT_EQ(t.Results("j").size(), 1u);
  EXPECT_EQ(t.Results("j")[0].cursor, 2u);
  t.Open("j");
  EXPECT_EQ(std::get<v1::OpenJobResponse>(t.All<Reply>()[0].response).acknowledged(), 1u);
}

TEST(CoreClientsTest, CancelEndsQueuedTrialsAndLeavesLeasedOnesTheirResult) {
  CoreHarness t;
  t.Open("j");
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1"), MakeTrial("t2", "2"), MakeTrial("t3", "3")});
  const std::vector<v1::Lease> leases = t.Assigned();
  t.Feed(CancelJob{9, "j"});
  EXPECT_EQ(std::get<v1::CancelJobResponse>(t.All<Reply>()[0].response).cancelled(), 1u);
  EXPECT_EQ(t.Results("j").at(0).result->outcome(), v1::OUTCOME_CANCELLED);
  t.Finish(1, leases[0]);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_RECORDED);
  t.Feed(CancelJob{10, "none"});
  EXPECT_EQ(t.Status().code(), absl::StatusCode::kNotFound);
}

TEST(CoreClientsTest, WatchOfAnUnknownJobIsClosed) {
  CoreHarness t;
  v1::WatchRequest request;
  request.set_job_id("none");
  t.Feed(StartWatch{4, request});
  ASSERT_EQ(t.All<CloseWatch>().size(), 1u);
  EXPECT_EQ(t.All<CloseWatch>()[0].status.code(), absl::StatusCode::kNotFound);
}

TEST(CoreClientsTest, BlobsAreReleasedOnceForEveryTrialThatEnds) {
  CoreHarness t;
  t.Open("j");
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "same"), MakeTrial("t2", "same")});
  t.Finish(1, t.Assigned()[0]);
  EXPECT_EQ(t.All<ReleaseBlobs>().size(), 2u);
}

TEST(CoreClientsTest, LongDetailIsCutBetweenCharacters) {
  CoreHarness t;
  t.Open("j");
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  const v1::Lease lease = t.Assigned()[0];
  v1::TrialResult result = MakeOutcome("t1");
  std::string detail = "x";
  while (detail.size() < 600) detail += "\xc3\xa9";
  result.set_detail(detail);
  t.Feed(AgentFinished{1, lease, result});
  EXPECT_EQ(t.Results("j")[0].result->detail().size(), 511u);
}

}  // namespace
}  // namespace tunefleet::tracker
