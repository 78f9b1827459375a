// What time does to the core.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tracker/core_harness.h"
#include "tracker/core/deadline.h"

namespace tunefleet::tracker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(LeaseDeadlineTest, IsTheSumOfTheTrialsLimitsAndTheSlack) {
  v1::Trial trial = MakeTrial("t", "1");  // load 3 s, budget 1 s, time-out 2 s
  EXPECT_EQ(LeaseDeadline(trial, absl::Seconds(30)), absl::Seconds(36));
  *trial.add_kernels() = trial.kernels(0);
  EXPECT_EQ(LeaseDeadline(trial, absl::Seconds(30)), absl::Seconds(42));
  trial.mutable_kernels(1)->mutable_reference();
  EXPECT_EQ(LeaseDeadline(trial, absl::Seconds(30)), absl::Seconds(42) + absl::Minutes(10));
  trial.mutable_kernels(1)->clear_reference();
  trial.clear_options();
  EXPECT_EQ(LeaseDeadline(trial, absl::Seconds(30)), absl::Seconds(390));
}

TEST(CoreTimeTest, DeadlineCountsFromStartedAndAnOverdueLeaseReturnsTheTrialToTheQueue) {
  CoreHarness t;
  t.Open("j");
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  const v1::Lease lease = t.Assigned()[0];
  t.Advance(absl::Minutes(5));
  EXPECT_THAT(t.RevokedTrials(), IsEmpty()) << "not started: no clock runs";
  t.Start(1, lease);
  t.Advance(absl::Seconds(35));
  EXPECT_THAT(t.RevokedTrials(), IsEmpty());
  t.Advance(absl::Seconds(1));
  EXPECT_THAT(t.RevokedTrials(), ElementsAre("t1"));
  EXPECT_THAT(t.AssignedTrials(), ElementsAre("t1"));
  t.Finish(1, lease);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_STALE);
}

TEST(CoreTimeTest, TrialThatOverrunsAgainAndAgainIsGivenUp) {
  CoreHarness t;
  t.Open("j");
  t.Hello(1, MakeHello("a", 1, {"d1"}));
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(t.Assigned().size(), 1u);
    t.Start(1, t.Assigned()[0]);
    t.Advance(absl::Seconds(36));
  }
  EXPECT_EQ(t.Results("j").at(0).result->outcome(), v1::OUTCOME_LOST_DEVICE);
  EXPECT_EQ(t.Device("d1").state(), v1::DEVICE_STATE_QUARANTINED);
}

std::vector<std::string> Cycled(const CoreHarness& t) {
  std::vector<std::string> devices;
  for (const PowerCycle& cycle : t.All<PowerCycle>()) {
    devices.push_back(cycle.device_id + "/" + std::to_string(cycle.attempt));
  }
  return devices;
}

TEST(CoreTimeTest, LostDevicesGetPowerCyclesFurtherAndFurtherApart) {
  CoreHarness t(Settings{.power_cycle_after = absl::Minutes(5), .max_power_cycle_backoff = absl::Minutes(15)});
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.Feed(AgentLost{1});
  t.Advance(absl::Minutes(4));
  EXPECT_THAT(Cycled(t), IsEmpty());
  t.Advance(absl::Minutes(1));
  EXPECT_THAT(Cycled(t), ElementsAre("d/1"));
  EXPECT_EQ(t.Device("d").power_cycles(), 1u);
  t.Advance(absl::Minutes(9));
  EXPECT_THAT(Cycled(t), IsEmpty());
  t.Advance(absl::Minutes(1));
  EXPECT_THAT(Cycled(t), ElementsAre("d/2"));
  t.Advance(absl::Minutes(15));
  EXPECT_THAT(Cycled(t), ElementsAre("d/3")) << "the back-off is bounded";
  t.Hello(2, MakeHello("a", 2, {"d"}));
  EXPECT_EQ(t.Device("d").power_cycles(), 0u);
  t.Feed(AgentLost{2});
  t.Advance(absl::Minutes(5));
  EXPECT_THAT(Cycled(t), ElementsAre("d/1"));
}

TEST(CoreTimeTest, PowerCyclesOfAFleetAreApartAndNobodyMissesWhatWasDrained) {
  CoreHarness t(Settings{.power_cycle_after = absl::Minutes(5)});
  t.Hello(1, MakeHello("a", 1, {"d", "e"}));
  t.Hello(2, MakeHello("b", 1, {"f"}));
  t.Feed(AgentDraining{2});
  t.Feed(AgentLost{1});
  t.Feed(AgentLost{2});
  t.Advance(absl::Minutes(6));
  EXPECT_THAT(Cycled(t), ElementsAre("d/1"));
  t.Advance(absl::Seconds(9));
  EXPECT_THAT(Cycled(t), IsEmpty());
  t.Advance(absl::Seconds(1));
  EXPECT_THAT(Cycled(t), ElementsAre("e/1"));
  t.Advance(absl::Minutes(1));
  EXPECT_THAT(Cycled(t), IsEmpty());
}

TEST(CoreTimeTest, WithoutASettingNoPowerIsSwitched) {
  CoreHarness t;
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.Feed(AgentLost{1});
  t.Advance(absl::Hours(24));
  EXPECT_THAT(Cycled(t), IsEmpty());
}

TEST(CoreTimeTest, LeaseThatIsNeverStartedGoesBackWithoutBlame) {
  CoreHarness t;
  t.Open("j");
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1"), MakeTrial("t2", "2")});
  const std::vector<v1::Lease> leases = t.Assigned();
  t.Start(1, leases[0]);
  t.Finish(1, leases[0]);
  t.Advance(absl::Minutes(9));
  EXPECT_THAT(t.RevokedTrials(), IsEmpty());
  t.Advance(absl::Minutes(1));
  EXPECT_THAT(t.RevokedTrials(), ElementsAre("t2"));
  EXPECT_EQ(t.Ops<DropLease>().at(0).blames, 0);
}

TEST(CoreTimeTest, PrefetchedTrialWaitsAsLongAsTheRunningOneRuns) {
  Settings settings;
  settings.start_timeout = absl::Seconds(10);
  CoreHarness t(settings);
  t.Open("j");
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1"), MakeTrial("t2", "2")});
  t.Start(1, t.Assigned()[0]);
  t.Advance(absl::Seconds(30));
  EXPECT_THAT(t.RevokedTrials(), IsEmpty());
}

TEST(CoreTimeTest, TrialsOfAClientThatStaysAwayExpire) {
  CoreHarness t;
  v1::OpenJobRequest request;
  request.set_job_id("j");
  request.mutable_expire_after()->set_seconds(60);
  t.Feed(OpenJob{1, request});
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.SubmitTo("j", {MakeTrial("t1", "1"), MakeTrial("t2", "2"), MakeTrial("t3", "3")});
  const std::vector<v1::Lease> leases = t.Assigned();
  t.Advance(absl::Seconds(59));
  EXPECT_EQ(t.JobState("j").queued(), 1u);
  t.Advance(absl::Seconds(1));
  EXPECT_EQ(t.JobState("j").queued(), 0u);
  EXPECT_EQ(t.JobState("j").running(), 2u) << "what is on a device ends by itself";
  t.Finish(1, leases[0]);
  EXPECT_EQ(t.Ack(), v1::ACKNOWLEDGEMENT_RECORDED);
  EXPECT_EQ(t.Results("j").at(0).result->outcome(), v1::OUTCOME_EXPIRED);
}

TEST(CoreTimeTest, WatchingIsStayingInTouch) {
  CoreHarness t;
  t.Open("j");
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  v1::WatchRequest watch;
  watch.set_job_id("j");
  t.Feed(StartWatch{5, watch});
  t.Advance(absl::Hours(48));
  EXPECT_EQ(t.JobState("j").queued(), 1u);
  t.Feed(StopWatch{5});
  t.Advance(absl::Minutes(59));
  EXPECT_EQ(t.JobState("j").queued(), 1u);
  t.Advance(absl::Minutes(1));
  EXPECT_EQ(t.JobState("j").queued(), 0u);
}

TEST(CoreTimeTest, SettledJobIsForgottenAndAnUnacknowledgedOneIsNot) {
  CoreHarness t;
  t.Open("settled");
  t.Open("owed");
  t.SubmitTo("owed", {MakeTrial("t1", "1")});
  t.Hello(1, MakeHello("a", 1, {"d"}));
  t.RunAll(1);
  t.Feed(AgentLost{1});
  t.Advance(absl::Hours(24 * 30));
  EXPECT_EQ(t.core.ListJobs().jobs_size(), 1);
  EXPECT_EQ(t.Results("owed").size(), 1u);
  EXPECT_EQ(t.core.ListDevices(t.now).devices_size(), 0) << "so is a device that stays lost";
}

TEST(CoreTimeTest, ResultsMadeHereCarryWallTime) {
  Settings settings;
  settings.wall_offset = absl::Seconds(1000000);
  CoreHarness t(settings);
  t.Open("j");
  t.SubmitTo("j", {MakeTrial("t1", "1")});
  t.Feed(CancelJob{1, "j"});
  EXPECT_EQ(t.Results("j").at(0).result->finished_at().seconds(), 1000000 + 3600);
}

}  // namespace
}  // namespace tunefleet::tracker
