#include "tuner/pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <set>

#include "tests/support/temp_dir.h"
#include "tests/tuner/pipeline/fake_fleet.h"
#include "tests/tuner/search/fake_space.h"
#include "tuner/database/sqlite_database.h"
#include "tuner/pipeline/build_candidate.h"
#include "tuner/search/strategies.h"

namespace tunefleet::tuner {
namespace {

using common::MutexLock;
using testing::HasSubstr;

// Distinct for distinct configs; 1000 + at most 511.
uint64_t Latency(const std::string& code) {
  const std::vector<int64_t> v = ValuesOf(code);
  return 1000 + static_cast<uint64_t>(v[0] * 64 + v[1] * 8 + v[2]);
}
FakeVerdict Plain(const std::string& code) { return {.latency_ns = Latency(code)}; }

class Sink : public ProgressSink {
 public:
  using Watcher = std::function<void(const Progress&)>;
  explicit Sink(Watcher watcher = nullptr) : watcher_(std::move(watcher)) {}
  void Report(const Progress& progress) override {
    EXPECT_FALSE(inside_.exchange(true)) << "two reports at once";
    if (watcher_ != nullptr) watcher_(progress);
    stages.insert(progress.stage);
    inside_ = false;
  }
  std::set<TuneStage> stages;

 private:
  const Watcher watcher_;
  std::atomic<bool> inside_ = false;
};

class PipelineTest : public testing::Test {
 protected:
  void SetUp() override {
    database_ = OpenSqliteDatabase(folder_ / "records.db", DatabaseAccess::kTune).value();
    options_.trials = 40;
    options_.finalists = 0;
    options_.refine_winner = false;
  }

  absl::StatusOr<TuneSummary> Run(FakeFleet& fleet, Builder& builder, std::stop_token stop = {}) {
    FakeRunner runner(&fleet, 1);
    return RunWith(runner, builder, stop);
  }
  absl::StatusOr<TuneSummary> RunWith(Runner& runner, Builder& builder, std::stop_token stop = {}) {
    const auto strategy = MakeRandomSearch(task_.SpacePointers(), 1);
    return Tune(task_, options_, *strategy, builder, runner, *database_, sink_, common::MonotonicClock(), stop);
  }
  std::vector<StoredRecord> Records() { return database_->Records(TaskDigest(task_.identity)).value(); }
  std::vector<StoredRecord> RecordsOf(TrialStage stage) {
    std::vector<StoredRecord> records = Records();
    std::erase_if(records, [&](const StoredRecord& stored) { return stored.stage != stage; });
    return records;
  }
  static void ExpectEachMeasuredOnce(const FakeFleet& fleet) {
    for (const auto& [trial, runs] : fleet.runs_by_trial()) EXPECT_EQ(runs, 1) << trial;
    const std::vector<std::string> codes = fleet.searched_codes();
    EXPECT_EQ(std::set<std::string>(codes.begin(), codes.end()).size(), codes.size());
  }

  TempDir folder_;
  std::unique_ptr<Database> database_;
  TuningTask task_ = MakeFakeTask();
  TuneOptions options_;
  Sink sink_;
  FakeBuilder builder_;
};

TEST_F(PipelineTest, EveryTrialRunsOnTheTasksCaches) {
  FakeFleet fleet(Plain, 1);
  task_.identity.cache_mode = v1::CACHE_MODE_ROTATING;
  options_.trials = 8;
  options_.refine_winner = true;
  ASSERT_TRUE(Run(fleet, builder_).ok());
  const std::vector<v1::Trial> trials = fleet.accepted();
  ASSERT_GT(trials.size(), 8) << "the search, and the winner compiled both ways";
  for (const v1::Trial& trial : trials) EXPECT_EQ(trial.options().cache_mode(), v1::CACHE_MODE_ROTATING);
}

TEST_F(PipelineTest, RecordsEveryTrialAndReturnsTheFastest) {
  FakeFleet fleet(Plain, 1);
  options_.strategy = "random";
  options_.seed = 17;
  const auto summary = Run(fleet, builder_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  const std::vector<StoredRecord> records = Records();
  EXPECT_EQ(records.size(), 40);
  uint64_t fastest = UINT64_MAX;
  for (const std::string& code : fleet.searched_codes()) fastest = std::min(fastest, Latency(code));
  ASSERT_TRUE(summary->best.has_value());
  EXPECT_EQ(summary->best->result().kernels(0).latency_ns(), fastest);
  EXPECT_EQ(summary->progress.trials_done, 40);
  EXPECT_DOUBLE_EQ(summary->progress.best_gflops, 2000.0 / static_cast<double>(fastest));
  EXPECT_EQ(summary->progress.in_flight, 0);
  EXPECT_FALSE(summary->cancelled);
  ExpectEachMeasuredOnce(fleet);
  EXPECT_EQ(fleet.acknowledged(), 40);
  const v1::TuningRecord& record = records[0].record;
  EXPECT_EQ(record.strategy(), "random");
  EXPECT_EQ(record.seed(), 17);
  EXPECT_EQ(record.pass_pipeline(), "light");
  EXPECT_EQ(record.codegen(), "fake/1");
  EXPECT_EQ(record.device_class(), "desk");
  EXPECT_EQ(record.config().space(), "grid");
  EXPECT_EQ(record.schedule().implementation(), "grid");
  EXPECT_TRUE(sink_.stages.contains(TuneStage::kSearching));
  EXPECT_TRUE(sink_.stages.contains(TuneStage::kDone));
}

// A strategy that finds out whether a kernel could be timed while it plans.
class WatchedSearch : public SearchStrategy {
 public:
  WatchedSearch(std::unique_ptr<SearchStrategy> strategy, common::Turns turns)
      : strategy_(std::move(strategy)), turns_(std::move(turns)) {}
  void Tell(absl::Span<const Measured> results) override {
    if (told_) ExpectNobodyTimes();  // the first time it is told what earlier runs found: no trial is under way
    told_ = true;
    strategy_->Tell(results);
  }
  std::vector<Candidate> Propose(int count) override {
    ExpectNobodyTimes();
    return strategy_->Propose(count);
  }
  void Exclude(absl::Span<const Candidate> candidates) override { strategy_->Exclude(candidates); }

 private:
  void ExpectNobodyTimes() {
    EXPECT_TRUE(absl::IsCancelled(turns_.Time([] { return true; }).status()));
  }

  const std::unique_ptr<SearchStrategy> strategy_;
  const common::Turns turns_;
  bool told_ = false;
};

TEST_F(PipelineTest, PlanningTakesTurnsWithTimingOnSharedCores) {
  const common::Turns turns = common::Turns::Open(folder_ / "turns").value();
  options_.turns = turns;
  FakeFleet fleet(
      [&](const std::string& code) {  // would wait for ever if the turn were kept between plans
        EXPECT_TRUE(turns.Time([] { return false; }).ok());
        return Plain(code);
      },
      1);
  FakeRunner runner(&fleet, 1);
  WatchedSearch strategy(MakeRandomSearch(task_.SpacePointers(), 1), turns);
  const auto summary = Tune(task_, options_, strategy, builder_, runner, *database_, sink_, common::MonotonicClock());
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->progress.trials_done, 40);
}

TEST_F(PipelineTest, WindowBoundsWhatWaitsAtTheRunner) {
  FakeFleet fleet(Plain, 1);
  options_.window = 3;
  ASSERT_TRUE(Run(fleet, builder_).ok());
  EXPECT_LE(fleet.max_waiting(), 3);
}

TEST_F(PipelineTest, SameCallAgainMeasuresNothingMore) {
  FakeFleet fleet(Plain, 1);
  ASSERT_TRUE(Run(fleet, builder_).ok());
  const auto again = Run(fleet, builder_);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(fleet.accepted().size(), 40);
  EXPECT_EQ(again->progress.trials_resumed, 40);
  EXPECT_TRUE(again->best.has_value());
}

TEST_F(PipelineTest, MoreTrialsContinueWithNewConfigs) {
  FakeFleet fleet(Plain, 1);
  ASSERT_TRUE(Run(fleet, builder_).ok());
  options_.trials = 70;
  ASSERT_TRUE(Run(fleet, builder_).ok());
  EXPECT_EQ(Records().size(), 70);
  ExpectEachMeasuredOnce(fleet);
}

TEST_F(PipelineTest, BuildFailuresAreTrials) {
  FakeFleet fleet(Plain, 1);
  FakeBuilder builder(2, [](const std::string& code) {
    return ValuesOf(code)[0] % 2 == 0 ? v1::OUTCOME_BUILD_TIMED_OUT : v1::OUTCOME_OK;
  });
  const auto summary = Run(fleet, builder);
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(Records().size(), 40);
  const int failed = summary->progress.failures.at(v1::OUTCOME_BUILD_TIMED_OUT);
  EXPECT_GT(failed, 0);
  EXPECT_EQ(fleet.accepted().size(), 40 - failed);
}

TEST_F(PipelineTest, WhenEverythingFailsTheSummarySaysWhy) {
  FakeFleet fleet(
      [](const std::string& code) {
        return FakeVerdict{.outcome = ValuesOf(code)[0] == 0 ? v1::OUTCOME_CRASHED : v1::OUTCOME_WRONG_ANSWER,
                           .detail = "element 3 is 5, expected 4"};
      },
      1);
  const auto summary = Run(fleet, builder_);
  ASSERT_TRUE(summary.ok());
  EXPECT_FALSE(summary->best.has_value());
  EXPECT_THAT(summary->explanation, HasSubstr("none of 40 trials"));
  EXPECT_THAT(summary->explanation, HasSubstr("OUTCOME_WRONG_ANSWER (the last: element 3 is 5, expected 4)"));
  EXPECT_THAT(summary->explanation, HasSubstr("OUTCOME_CRASHED"));
}

TEST_F(PipelineTest, ExhaustedSpaceEndsTheSearch) {
  task_.spaces.clear();
  task_.spaces.push_back(MakeGridSpace("grid", {3, 2, 2}));
  FakeFleet fleet(Plain, 1);
  const auto summary = Run(fleet, builder_);
  ASSERT_TRUE(summary.ok());
  EXPECT_TRUE(summary->exhausted);
  EXPECT_EQ(Records().size(), 12);
}

TEST_F(PipelineTest, CandidatesAreMeasuredAgainstTheBestSoFar) {
  FakeFleet fleet(Plain, 1);
  options_.abort_ratio = 3;
  options_.window = 1;
  ASSERT_TRUE(Run(fleet, builder_).ok());
  const std::vector<v1::Trial> trials = fleet.accepted();
  EXPECT_EQ(trials.front().options().incumbent_ns(), 0);
  EXPECT_EQ(trials.front().options().abort_ratio(), 0);
  const uint64_t best = database_->Best(TaskDigest(task_.identity))->value().result().kernels(0).latency_ns();
  EXPECT_GE(trials.back().options().incumbent_ns(), best);
  EXPECT_EQ(trials.back().options().abort_ratio(), 3);
}

// Its tenth build waits until a trial was recorded.
class PatientBuilder : public FakeBuilder {
 public:
  PatientBuilder() : FakeBuilder(1) {}
  v1::BuildResponse Build(const v1::BuildRequest& request) override {
    {
      MutexLock lock(&mutex_);
      ++builds_;
      while (builds_ == 10 && !recorded_) changed_.Wait(&mutex_);
    }
    return FakeBuilder::Build(request);
  }
  void SawRecord() {
    MutexLock lock(&mutex_);
    recorded_ = true;
    changed_.SignalAll();
  }

 private:
  common::Mutex mutex_;
  common::CondVar changed_;
  int builds_ ABSL_GUARDED_BY(mutex_) = 0;
  bool recorded_ ABSL_GUARDED_BY(mutex_) = false;
};

TEST_F(PipelineTest, MeasuringDoesNotWaitForTheRestToBeBuilt) {
  FakeFleet fleet(Plain, 1);
  PatientBuilder builder;
  Sink sink([&](const Progress& progress) {
    if (progress.trials_done > 0) builder.SawRecord();
  });
  FakeRunner runner(&fleet, 1);
  const auto strategy = MakeRandomSearch(task_.SpacePointers(), 1);
  ASSERT_TRUE(Tune(task_, options_, *strategy, builder, runner, *database_, sink, common::MonotonicClock()).ok());
  EXPECT_EQ(Records().size(), 40);
}

// Ends the run with UNAVAILABLE at the n-th submission.
class FailingRunner : public FakeRunner {
 public:
  FailingRunner(FakeFleet* fleet, int submissions) : FakeRunner(fleet, 1), left_(submissions) {}
  absl::Status Submit(const v1::Trial& trial) override {
    if (--left_ < 0) return absl::UnavailableError("tracker unreachable");
    return FakeRunner::Submit(trial);
  }

 private:
  std::atomic<int> left_;
};

TEST_F(PipelineTest, RunnerFailureEndsTheRunAndTheNextContinues) {
  FakeFleet fleet(Plain, 1);
  FailingRunner failing(&fleet, 15);
  const auto failed = RunWith(failing, builder_);
  EXPECT_EQ(failed.status().code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(Run(fleet, builder_).ok());
  EXPECT_EQ(Records().size(), 40);
  ExpectEachMeasuredOnce(fleet);
}

// Calls every third trial malformed.
class PickyRunner : public FakeRunner {
 public:
  explicit PickyRunner(FakeFleet* fleet) : FakeRunner(fleet, 1) {}
  absl::Status Submit(const v1::Trial& trial) override {
    if (++submissions_ % 3 == 0) return absl::InvalidArgumentError("too many buffers");
    return FakeRunner::Submit(trial);
  }

 private:
  std::atomic<int> submissions_ = 0;
};

TEST_F(PipelineTest, TrialThatTheRunnerRefusesIsRecorded) {
  FakeFleet fleet(Plain, 1);
  PickyRunner runner(&fleet);
  const auto summary = RunWith(runner, builder_);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->progress.failures.at(v1::OUTCOME_REFUSED), 13);
  EXPECT_EQ(Records().size(), 40);
}

TEST_F(PipelineTest, StoppedRunKeepsWhatItHasAndContinuesLater) {
  FakeFleet fleet(Plain, 1);
  std::stop_source stop;
  Sink sink([&](const Progress& progress) {
    if (progress.trials_done == 10) stop.request_stop();
  });
  FakeRunner runner(&fleet, 1);
  const auto strategy = MakeRandomSearch(task_.SpacePointers(), 1);
  options_.cancel_patience = absl::Hours(1);  // trials in flight are waited for
  const auto summary =
      Tune(task_, options_, *strategy, builder_, runner, *database_, sink, common::MonotonicClock(), stop.get_token());
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_TRUE(summary->cancelled);
  EXPECT_TRUE(summary->best.has_value());
  EXPECT_GE(Records().size(), 10);
  EXPECT_LT(Records().size(), 40);
  ASSERT_TRUE(Run(fleet, builder_).ok());
  EXPECT_EQ(Records().size(), 40);
  ExpectEachMeasuredOnce(fleet);
}

TEST_F(PipelineTest, StoppedRunGivesUpOnAStuckRunner) {
  FakeFleet fleet(Plain, 1);
  FakeRunner stuck(&fleet, 1);
  stuck.set_stuck(true);
  std::stop_source stop;
  stop.request_stop();
  options_.cancel_patience = absl::Milliseconds(1);
  std::stop_source late;
  Sink sink([&](const Progress& progress) {
    if (progress.stage == TuneStage::kSearching) late.request_stop();
  });
  const auto strategy = MakeRandomSearch(task_.SpacePointers(), 1);
  const auto summary =
      Tune(task_, options_, *strategy, builder_, stuck, *database_, sink, common::MonotonicClock(), late.get_token());
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_TRUE(summary->cancelled);
  ASSERT_TRUE(Run(fleet, builder_).ok());
  EXPECT_EQ(Records().size(), 40);
  ExpectEachMeasuredOnce(fleet);
}

TEST_F(PipelineTest, TheVerdictOfThePairsDecidesBetweenTwoCompilations) {
  const struct {
    v1::Verdict verdict;
    double ratio;
    const char* kept;
  } kCases[] = {
      {v1::VERDICT_SAME, 0.998, kSearchPipeline},  // however much lower its median may be
      {v1::VERDICT_SLOWER, 1.02, kSearchPipeline}, {v1::VERDICT_FASTER, 0.97, "O3"},
      {v1::VERDICT_AMBIGUOUS, 0.99, "O3"},         {v1::VERDICT_AMBIGUOUS, 1.01, kSearchPipeline},
  };
  for (const auto& c : kCases) {
    database_.reset();
    std::filesystem::remove(folder_ / "records.db");
    database_ = OpenSqliteDatabase(folder_ / "records.db", DatabaseAccess::kTune).value();
    FakeFleet fleet(
        [&c](const std::string& code) {
          const bool o3 = code.starts_with("O3");
          return FakeVerdict{.latency_ns = Latency(code) - (o3 ? 100 : 0),
                             .verdict = o3 ? c.verdict : v1::VERDICT_UNSPECIFIED,
                             .ratio = c.ratio};
        },
        1);
    options_.finalists = 0;
    options_.refine_winner = true;
    ASSERT_TRUE(Run(fleet, builder_).ok());
    const std::vector<StoredRecord> winner = RecordsOf(TrialStage::kWinner);
    ASSERT_EQ(winner.size(), 1);
    EXPECT_EQ(winner[0].record.pass_pipeline(), c.kept) << v1::Verdict_Name(c.verdict) << " " << c.ratio;
  }
}

TEST_F(PipelineTest, FinalsCompareContendersAndKeepTheFasterCompilation) {
  FakeFleet fleet(
      [](const std::string& code) {
        return FakeVerdict{.latency_ns = Latency(code) - (code.starts_with("O3") ? 200 : 0)};
      },
      1);
  options_.finalists = 4;
  options_.refine_winner = true;
  options_.noise = 1;
  const auto summary = Run(fleet, builder_);
  ASSERT_TRUE(summary.ok());
  const std::vector<StoredRecord> finals = RecordsOf(TrialStage::kFinalists);
  const std::vector<StoredRecord> winner = RecordsOf(TrialStage::kWinner);
  ASSERT_EQ(finals.size(), 1);
  ASSERT_EQ(winner.size(), 1);
  EXPECT_EQ(finals[0].record.result().kernels_size(), 4);
  for (const v1::KernelResult& kernel : finals[0].record.result().kernels()) {
    EXPECT_GE(kernel.latency_ns(), finals[0].record.result().kernels(0).latency_ns());
  }
  EXPECT_EQ(winner[0].record.pass_pipeline(), "O3");
  EXPECT_EQ(winner[0].record.config().SerializeAsString(), finals[0].record.config().SerializeAsString());
  EXPECT_EQ(summary->best->trial_id(), winner[0].record.trial_id());
  const std::vector<v1::Trial> trials = fleet.accepted();
  ASSERT_EQ(trials.size(), 42);
  EXPECT_EQ(trials[40].options().incumbent_ns(), 0);
  EXPECT_EQ(trials[40].options().min_samples(), options_.final_samples);
  EXPECT_TRUE(sink_.stages.contains(TuneStage::kFinalists));
  EXPECT_TRUE(sink_.stages.contains(TuneStage::kWinner));

  ASSERT_TRUE(Run(fleet, builder_).ok());  // the verdicts stand
  EXPECT_EQ(fleet.accepted().size(), 42);
}

TEST_F(PipelineTest, FinalsHearTheBestOfEverySpaceThatComesNear) {
  task_.spaces.clear();
  task_.spaces.push_back(MakeGridSpace("grid", {4, 4, 1}));
  task_.spaces.push_back(MakeGridSpace("near", {4, 4, 1, 1}));
  task_.spaces.push_back(MakeGridSpace("far", {4, 4, 1, 1, 1}));
  FakeFleet fleet(
      [](const std::string& code) {
        const uint64_t slower = ValuesOf(code).size() == 3 ? 0 : ValuesOf(code).size() == 4 ? 300 : 3000;
        return FakeVerdict{.latency_ns = Latency(code) + slower};
      },
      1);
  options_.trials = 48;
  options_.finalists = 3;
  options_.noise = 0.001;
  ASSERT_TRUE(Run(fleet, builder_).ok());
  const std::vector<StoredRecord> finals = RecordsOf(TrialStage::kFinalists);
  ASSERT_EQ(finals.size(), 1);
  std::vector<uint64_t> latencies;
  for (const v1::KernelResult& kernel : finals[0].record.result().kernels()) latencies.push_back(kernel.latency_ns());
  EXPECT_THAT(latencies, testing::ElementsAre(1000, 1300));
}

TEST_F(PipelineTest, RefinedCompilationThatIsSlowerOrFailsIsNotKept) {
  FakeFleet fleet(
      [](const std::string& code) {
        return FakeVerdict{.latency_ns = Latency(code) + (code.starts_with("O3") ? 1 : 0)};
      },
      1);
  options_.refine_winner = true;
  const auto slower = Run(fleet, builder_);
  ASSERT_TRUE(slower.ok());
  EXPECT_EQ(slower->best->pass_pipeline(), "light");
  ASSERT_EQ(RecordsOf(TrialStage::kWinner).size(), 1);
  FakeBuilder fragile(
      2, [](const std::string& code) { return code.starts_with("O3") ? v1::OUTCOME_BUILD_CRASHED : v1::OUTCOME_OK; });
  options_.trials = 300;
  const auto failed = Run(fleet, fragile);
  ASSERT_TRUE(failed.ok());
  EXPECT_TRUE(failed->best.has_value());
  EXPECT_EQ(RecordsOf(TrialStage::kWinner).size(), 1);
}

}  // namespace
}  // namespace tunefleet::tuner
