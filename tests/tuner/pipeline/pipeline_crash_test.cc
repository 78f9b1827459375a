// A tuner that is killed at any moment: what it did to the outside world stays, what it knew is gone. Killing is a
// count of calls to the database and the runner; the call that uses it up takes effect or not, and neither it nor any
// later one returns to anything but an error.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "tests/support/temp_dir.h"
#include "tests/tuner/pipeline/fake_fleet.h"
#include "tuner/database/sqlite_database.h"
#include "tuner/pipeline/pipeline.h"
#include "tuner/search/strategies.h"

namespace tunefleet::tuner {
namespace {

class Fuse {
 public:
  Fuse(int calls, bool last_takes_effect) : left_(calls), last_takes_effect_(last_takes_effect) {}
  // Runs the call while the process lives.
  template <typename Call>
  auto operator()(Call call) -> decltype(call()) {
    const int left = left_--;
    if (left > 1) return call();
    if (left == 1 && last_takes_effect_) (void)call();
    return absl::AbortedError("killed");
  }

 private:
  std::atomic<int> left_;
  const bool last_takes_effect_;
};

class MortalDatabase : public Database {
 public:
  MortalDatabase(Database* database, Fuse* fuse) : database_(*database), fuse_(*fuse) {}
  absl::StatusOr<Job> OpenJob(const TaskIdentity& task) override {
    return fuse_([&] { return database_.OpenJob(task); });
  }
  absl::Status AddPending(const std::string& job_id, const PendingTrial& trial) override {
    return fuse_([&] { return database_.AddPending(job_id, trial); });
  }
  absl::StatusOr<std::vector<PendingTrial>> Pending(const std::string& job_id) override {
    return fuse_([&] { return database_.Pending(job_id); });
  }
  absl::StatusOr<bool> Append(const v1::TuningRecord& record, TrialStage stage, uint64_t cursor) override {
    return fuse_([&] { return database_.Append(record, stage, cursor); });
  }
  absl::StatusOr<std::vector<StoredRecord>> Records(const std::string& task_digest) override {
    return fuse_([&] { return database_.Records(task_digest); });
  }
  absl::StatusOr<std::vector<StoredRecord>> List(const RecordFilter& filter) override {
    return fuse_([&] { return database_.List(filter); });
  }
  absl::StatusOr<std::optional<v1::TuningRecord>> Best(const std::string& task_digest) override {
    return fuse_([&] { return database_.Best(task_digest); });
  }
  absl::StatusOr<std::vector<TaskSummary>> Tasks(absl::string_view workload_key) override {
    return fuse_([&] { return database_.Tasks(workload_key); });
  }

 private:
  Database& database_;
  Fuse& fuse_;
};

class MortalRunner : public FakeRunner {
 public:
  MortalRunner(FakeFleet* fleet, uint64_t seed, Fuse* fuse) : FakeRunner(fleet, seed), fuse_(*fuse) {}
  absl::Status Provide(const std::string& digest, const std::string& bytes) override {
    return fuse_([&] { return FakeRunner::Provide(digest, bytes); });
  }
  absl::Status Submit(const v1::Trial& trial) override {
    return fuse_([&] { return FakeRunner::Submit(trial); });
  }
  absl::Status Acknowledge(uint64_t cursor) override {
    return fuse_([&] { return FakeRunner::Acknowledge(cursor); });
  }

 private:
  Fuse& fuse_;
};

class SilentSink : public ProgressSink {
 public:
  void Report(const Progress&) override {}
};

class PipelineCrashTest : public testing::TestWithParam<uint64_t> {};

TEST_P(PipelineCrashTest, NothingIsLostDoubledOrMeasuredTwice) {
  std::mt19937_64 random(GetParam());
  const TempDir folder;
  // Every config has its own latency; some crash; O3 is faster.
  FakeFleet fleet(
      [](const std::string& code) {
        const std::vector<int64_t> v = ValuesOf(code);
        if (v[1] == 3) return FakeVerdict{.outcome = v1::OUTCOME_CRASHED};
        return FakeVerdict{.latency_ns = static_cast<uint64_t>(10000 + v[0] * 64 + v[1] * 8 + v[2] -
                                                               (code.starts_with("O3") ? 600 : 0))};
      },
      GetParam());
  FakeBuilder builder(
      2, [](const std::string& code) { return ValuesOf(code)[2] == 5 ? v1::OUTCOME_BUILD_FAILED : v1::OUTCOME_OK; });
  const TuningTask task = MakeFakeTask();
  TuneOptions options{.trials = 60, .finalists = 3};

  int lives = 0;
  while (true) {
    ASSERT_LT(++lives, 200);
    auto database = OpenSqliteDatabase(folder / "records.db", DatabaseAccess::kTune).value();
    Fuse fuse(lives > 100 ? 1'000'000 : static_cast<int>(5 + random() % 120), random() % 2 == 0);
    MortalDatabase mortal(database.get(), &fuse);
    MortalRunner runner(&fleet, random(), &fuse);
    const auto strategy = MakeRandomSearch(task.SpacePointers(), random());
    SilentSink sink;
    const auto summary = Tune(task, options, *strategy, builder, runner, mortal, sink, common::MonotonicClock());
    if (summary.ok()) break;
    ASSERT_EQ(summary.status().code(), absl::StatusCode::kAborted) << summary.status();
  }

  const auto database = OpenSqliteDatabase(folder / "records.db", DatabaseAccess::kRead).value();
  const Job job = {.job_id = database->Tasks()->at(0).job_id};
  std::set<std::string> recorded;
  std::set<std::string> configs;
  int searched = 0;
  const std::vector<StoredRecord> records = database->Records(TaskDigest(task.identity)).value();
  for (const StoredRecord& stored : records) {
    EXPECT_TRUE(recorded.insert(stored.record.trial_id()).second) << "recorded twice";
    if (stored.stage != TrialStage::kSearch) continue;
    ++searched;
    EXPECT_TRUE(configs.insert(stored.record.config().SerializeAsString()).second) << "configuration tried twice";
  }
  EXPECT_EQ(searched, 60);
  EXPECT_TRUE(database->Pending(job.job_id)->empty());
  for (const v1::Trial& trial : fleet.accepted()) {
    EXPECT_TRUE(recorded.contains(trial.trial_id())) << "lost " << trial.trial_id();
  }
  for (const auto& [trial, runs] : fleet.runs_by_trial()) EXPECT_EQ(runs, 1) << "run again: " << trial;
  const std::vector<std::string> codes = fleet.searched_codes();
  EXPECT_EQ(std::set<std::string>(codes.begin(), codes.end()).size(), codes.size()) << "measured twice";
  EXPECT_EQ(database->Best(TaskDigest(task.identity))->value().pass_pipeline(), "O3");
  EXPECT_GT(lives, 1);
}

// Records what it is given and never says so.
class SpeechlessRunner : public FakeRunner {
 public:
  SpeechlessRunner(FakeFleet* fleet, uint64_t last) : FakeRunner(fleet, 1), last_(last) {}
  absl::Status Acknowledge(uint64_t cursor) override {
    return cursor < last_ ? FakeRunner::Acknowledge(cursor) : absl::AbortedError("killed");
  }

 private:
  const uint64_t last_;
};

TEST(PipelineBacklogTest, ResultThatWasRecordedAndNotAcknowledgedIsAcknowledgedByTheNextRun) {
  const TempDir folder;
  FakeFleet fleet([](const std::string&) { return FakeVerdict{}; }, 1);
  FakeBuilder builder;
  SilentSink sink;
  const TuningTask task = MakeFakeTask();
  const TuneOptions options{.trials = 5, .finalists = 0, .refine_winner = false};
  const auto database = OpenSqliteDatabase(folder / "records.db", DatabaseAccess::kTune).value();
  SpeechlessRunner killed(&fleet, options.trials);
  const auto first = MakeRandomSearch(task.SpacePointers(), 1);
  ASSERT_FALSE(Tune(task, options, *first, builder, killed, *database, sink, common::MonotonicClock()).ok());
  ASSERT_EQ(fleet.acknowledged(), 4u);

  FakeRunner runner(&fleet, 2);
  const auto again = MakeRandomSearch(task.SpacePointers(), 1);
  ASSERT_TRUE(Tune(task, options, *again, builder, runner, *database, sink, common::MonotonicClock()).ok());
  EXPECT_EQ(fleet.acknowledged(), 5u);
  EXPECT_EQ(fleet.accepted().size(), 5u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PipelineCrashTest, testing::Range<uint64_t>(1, 21));

}  // namespace
}  // namespace tunefleet::tuner
