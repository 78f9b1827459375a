#include "tuner/database/sqlite_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::tuner {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

TaskIdentity MakeTask(const std::string& key = "matmul(m=8)") {
  TaskIdentity task;
  task.workload_key = key;
  task.workload.add_nodes()->set_kind("matmul");
  task.target.set_triple("x86_64-linux-gnu");
  task.target.set_threads(1);
  task.device_class = "desk";
  return task;
}

v1::TuningRecord MakeRecord(const Job& job, uint64_t number, uint64_t latency_ns, bool censored = false) {
  v1::TuningRecord record;
  record.set_job_id(job.job_id);
  record.set_trial_id(TrialId(job.job_id, number));
  record.mutable_schedule()->set_implementation("direct");
  record.mutable_schedule()->set_implementation_version(static_cast<int>(number));
  v1::TrialResult& result = *record.mutable_result();
  result.set_trial_id(record.trial_id());
  result.set_outcome(latency_ns > 0 ? v1::OUTCOME_OK : v1::OUTCOME_CRASHED);
  if (latency_ns > 0) {
    result.add_kernels()->set_latency_ns(latency_ns);
    result.mutable_kernels(0)->set_censored(censored);
  }
  return record;
}

PendingTrial MakePending(uint64_t number, int kernels = 1) {
  PendingTrial trial{.number = number, .stage = kernels > 1 ? TrialStage::kFinalists : TrialStage::kSearch};
  for (int i = 0; i < kernels; ++i) {
    PlannedKernel& kernel = trial.kernels.emplace_back();
    kernel.config.set_space(absl::StrCat("space", i));
    kernel.pass_pipeline = i == 0 ? "light" : "O3";
  }
  return trial;
}

class SqliteDatabaseTest : public testing::Test {
 protected:
  void SetUp() override { path_ = folder_ / "records.db"; }

  std::unique_ptr<Database> Open(DatabaseAccess access = DatabaseAccess::kTune) {
    auto database = OpenSqliteDatabase(path_, access);
    EXPECT_TRUE(database.ok()) << database.status();
    return database.ok() ? *std::move(database) : nullptr;
  }
  absl::Status OpenError(DatabaseAccess access = DatabaseAccess::kTune) {
    return OpenSqliteDatabase(path_, access).status();
  }
  void WriteFile(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  std::string ReadFile() {
    std::ifstream in(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  void Sql(const char* sql) {
    sqlite3* connection = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &connection), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(connection, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(connection);
    sqlite3_close(connection);
  }

  TempDir folder_;
  std::string path_;
};

std::vector<std::string> TrialIds(const std::vector<StoredRecord>& records) {
  std::vector<std::string> ids;
  for (const StoredRecord& stored : records) ids.push_back(stored.record.trial_id());
  return ids;
}

TEST_F(SqliteDatabaseTest, ReopeningFindsTheSameJobAndItsRecords) {
  auto database = Open();
  const Job job = database->OpenJob(MakeTask()).value();
  EXPECT_EQ(job.next_trial, 1);
  EXPECT_TRUE(database->Append(MakeRecord(job, 1, 100), TrialStage::kSearch, 5).value());
  database.reset();
  database = Open();
  const Job again = database->OpenJob(MakeTask()).value();
  EXPECT_EQ(again.job_id, job.job_id);
  EXPECT_EQ(again.cursor, 5);
  EXPECT_EQ(again.next_trial, 2);
  const auto records = database->Records(job.task_digest).value();
  ASSERT_EQ(records.size(), 1);
  EXPECT_EQ(records[0].record.SerializeAsString(), MakeRecord(job, 1, 100).SerializeAsString());
}

TEST_F(SqliteDatabaseTest, EveryTaskHasAJobOfItsOwn) {
  auto database = Open();
  TaskIdentity other_class = MakeTask();
  other_class.device_class = "phone";
  TaskIdentity other_threads = MakeTask();
  other_threads.target.set_threads(2);
  const std::string job = database->OpenJob(MakeTask())->job_id;
  EXPECT_NE(database->OpenJob(MakeTask("matmul(m=9)"))->job_id, job);
  EXPECT_NE(database->OpenJob(other_class)->job_id, job);
  EXPECT_NE(database->OpenJob(other_threads)->job_id, job);
  EXPECT_EQ(database->Tasks()->size(), 4);
  EXPECT_EQ(database->Tasks("matmul(m=9)")->size(), 1);
}

TEST_F(SqliteDatabaseTest, WhatIsForPeopleIsNoPartOfTheTask) {
  TaskIdentity named = MakeTask();
  named.target.set_model("Some Processor");
  named.target.set_cores(8);
  TaskIdentity unset_threads = MakeTask();
  unset_threads.target.set_threads(0);
  EXPECT_EQ(TaskDigest(named), TaskDigest(MakeTask()));
  EXPECT_EQ(TaskDigest(unset_threads), TaskDigest(MakeTask()));
}

TEST_F(SqliteDatabaseTest, SecondRecordOfATrialIsIgnored) {
  auto database = Open();
  const Job job = database->OpenJob(MakeTask()).value();
  EXPECT_TRUE(database->Append(MakeRecord(job, 3, 100), TrialStage::kSearch, 1).value());
  EXPECT_FALSE(database->Append(MakeRecord(job, 3, 50), TrialStage::kSearch, 2).value());
  EXPECT_EQ(database->Records(job.task_digest)->size(), 1);
  EXPECT_EQ(database->Best(job.task_digest)->value().result().kernels(0).latency_ns(), 100);
  EXPECT_EQ(database->OpenJob(MakeTask())->cursor, 2);
}

TEST_F(SqliteDatabaseTest, TrialIsPendingUntilItIsRecorded) {
  auto database = Open();
  const Job job = database->OpenJob(MakeTask()).value();
  ASSERT_TRUE(database->AddPending(job.job_id, MakePending(1)).ok());
  ASSERT_TRUE(database->AddPending(job.job_id, MakePending(2, 3)).ok());
  EXPECT_EQ(database->AddPending(job.job_id, MakePending(2)).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(database->OpenJob(MakeTask())->next_trial, 3);
  auto pending = database->Pending(job.job_id).value();
  ASSERT_EQ(pending.size(), 2);
  EXPECT_EQ(pending[1].stage, TrialStage::kFinalists);
  ASSERT_EQ(pending[1].kernels.size(), 3);
  EXPECT_EQ(pending[1].kernels[2].config.space(), "space2");
  EXPECT_EQ(pending[1].kernels[2].pass_pipeline, "O3");
  ASSERT_TRUE(database->Append(MakeRecord(job, 2, 10), TrialStage::kFinalists, 1).ok());
  pending = database->Pending(job.job_id).value();
  ASSERT_EQ(pending.size(), 1);
  EXPECT_EQ(pending[0].number, 1);
  EXPECT_EQ(database->AddPending(job.job_id, MakePending(2)).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(SqliteDatabaseTest, FailedAndCensoredTrialsAreNeverBest) {
  auto database = Open();
  const Job job = database->OpenJob(MakeTask()).value();
  ASSERT_TRUE(database->Append(MakeRecord(job, 1, 0), TrialStage::kSearch, 1).ok());
  ASSERT_TRUE(database->Append(MakeRecord(job, 2, 5, /*censored=*/true), TrialStage::kSearch, 2).ok());
  EXPECT_FALSE(database->Best(job.task_digest)->has_value());
  ASSERT_TRUE(database->Append(MakeRecord(job, 3, 900), TrialStage::kSearch, 3).ok());
  EXPECT_EQ(database->Best(job.task_digest)->value().trial_id(), TrialId(job.job_id, 3));
}

TEST_F(SqliteDatabaseTest, VerdictOfTheFinalsBeatsALuckyMeasurementButNotAFasterLaterTrial) {
  auto database = Open();
  const Job job = database->OpenJob(MakeTask()).value();
  const auto best = [&] { return database->Best(job.task_digest)->value().trial_id(); };
  ASSERT_TRUE(database->Append(MakeRecord(job, 1, 90), TrialStage::kSearch, 1).ok());
  ASSERT_TRUE(database->Append(MakeRecord(job, 2, 100), TrialStage::kFinalists, 2).ok());
  EXPECT_EQ(best(), TrialId(job.job_id, 2));
  ASSERT_TRUE(database->Append(MakeRecord(job, 3, 105), TrialStage::kSearch, 3).ok());
  EXPECT_EQ(best(), TrialId(job.job_id, 2));
  ASSERT_TRUE(database->Append(MakeRecord(job, 4, 80), TrialStage::kSearch, 4).ok());
  EXPECT_EQ(best(), TrialId(job.job_id, 4));
  ASSERT_TRUE(database->Append(MakeRecord(job, 5, 0), TrialStage::kWinner, 5).ok());  // a failed final says nothing
  EXPECT_EQ(best(), TrialId(job.job_id, 4));
}

TEST_F(SqliteDatabaseTest, ListFiltersAndLeavesTheFinalsOut) {
  auto database = Open();
  const Job a = database->OpenJob(MakeTask("a")).value();
  const Job b = database->OpenJob(MakeTask("b")).value();
  ASSERT_TRUE(database->Append(MakeRecord(a, 1, 100), TrialStage::kSearch, 1).ok());
  ASSERT_TRUE(database->Append(MakeRecord(b, 1, 100), TrialStage::kSearch, 1).ok());
  ASSERT_TRUE(database->Append(MakeRecord(a, 2, 0), TrialStage::kSearch, 2).ok());
  ASSERT_TRUE(database->Append(MakeRecord(a, 3, 99), TrialStage::kWinner, 3).ok());
  const auto ids = [&](const RecordFilter& filter) { return TrialIds(database->List(filter).value()); };
  EXPECT_THAT(ids({}), ElementsAre(TrialId(a.job_id, 1), TrialId(b.job_id, 1), TrialId(a.job_id, 2)));
  EXPECT_THAT(ids({.workload_key = "b"}), ElementsAre(TrialId(b.job_id, 1)));
  EXPECT_THAT(ids({.workload_key = "a", .with_finals = true}),
              ElementsAre(TrialId(a.job_id, 1), TrialId(a.job_id, 2), TrialId(a.job_id, 3)));
  EXPECT_THAT(ids({.outcome = v1::OUTCOME_CRASHED}), ElementsAre(TrialId(a.job_id, 2)));
  EXPECT_THAT(ids({.device_class = "phone"}), ElementsAre());
  EXPECT_THAT(ids({.limit = 2}), ElementsAre(TrialId(b.job_id, 1), TrialId(a.job_id, 2)));
  EXPECT_EQ(database->Tasks("a").value()[0].trials, 2);
}

TEST_F(SqliteDatabaseTest, RefusesRecordsOfUnknownJobsAndForeignTrials) {
  auto database = Open();
  const Job job = database->OpenJob(MakeTask()).value();
  v1::TuningRecord record = MakeRecord(job, 1, 100);
  record.set_trial_id("elsewhere.1");
  EXPECT_EQ(database->Append(record, TrialStage::kSearch, 1).status().code(), absl::StatusCode::kInvalidArgument);
  record.set_job_id("elsewhere");
  EXPECT_EQ(database->Append(record, TrialStage::kSearch, 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(database->AddPending("elsewhere", MakePending(1)).code(), absl::StatusCode::kNotFound);
}

TEST_F(SqliteDatabaseTest, ReaderSeesWhatATunerWrites) {
  auto tuner = Open();
  const Job job = tuner->OpenJob(MakeTask()).value();
  auto reader = Open(DatabaseAccess::kRead);
  ASSERT_TRUE(tuner->Append(MakeRecord(job, 1, 100), TrialStage::kSearch, 1).ok());
  EXPECT_EQ(reader->Records(job.task_digest)->size(), 1);
  EXPECT_EQ(reader->Append(MakeRecord(job, 2, 100), TrialStage::kSearch, 2).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// Runs `body` in a child process.
template <typename Body>
pid_t Fork(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  return child;
}

TEST_F(SqliteDatabaseTest, SecondTunerIsRefusedUntilTheFirstEnds) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = Fork([&] {
    auto database = OpenSqliteDatabase(path_, DatabaseAccess::kTune);
    if (!database.ok() || write(ready[1], "x", 1) != 1) _exit(1);
    pause();
  });
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const absl::Status refused = OpenError();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("another process is tuning"));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_NE(Open(), nullptr);
  close(ready[0]);
  close(ready[1]);
}

TEST_F(SqliteDatabaseTest, KilledWriterLosesNothingThatWasAppended) {
  std::set<std::string> appended;  // by any of the writers
  for (int round = 0; round < 5; ++round) {
    int progress[2];
    ASSERT_EQ(pipe(progress), 0);
    const pid_t child = Fork([&] {
      auto database = OpenSqliteDatabase(path_, DatabaseAccess::kTune);
      if (!database.ok()) _exit(1);
      const Job job = (*database)->OpenJob(MakeTask()).value();
      for (uint64_t number = job.next_trial;; ++number) {
        if (!(*database)->AddPending(job.job_id, MakePending(number)).ok()) _exit(2);
        if (!(*database)->Append(MakeRecord(job, number, 100), TrialStage::kSearch, number).ok()) _exit(3);
        if (write(progress[1], &number, sizeof(number)) != sizeof(number)) _exit(4);
      }
    });
    close(progress[1]);
    std::vector<uint64_t> numbers;
    const auto read_one = [&] {
      uint64_t number = 0;
      if (read(progress[0], &number, sizeof(number)) != sizeof(number)) return false;
      numbers.push_back(number);
      return true;
    };
    for (int i = 0; i < 7 + 11 * round; ++i) ASSERT_TRUE(read_one());
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read_one()) {
    }
    close(progress[0]);
    auto database = Open();
    ASSERT_NE(database, nullptr);
    const Job job = database->OpenJob(MakeTask()).value();
    for (const uint64_t number : numbers) appended.insert(TrialId(job.job_id, number));
    EXPECT_GT(job.next_trial, numbers.back());
    const auto records = database->Records(job.task_digest).value();
    const auto pending = database->Pending(job.job_id).value();
    const std::vector<std::string> ids = TrialIds(records);
    const std::set<std::string> recorded(ids.begin(), ids.end());
    EXPECT_TRUE(std::includes(recorded.begin(), recorded.end(), appended.begin(), appended.end()));
    EXPECT_EQ(records.size() + pending.size(), job.next_trial - 1);
    EXPECT_LE(pending.size(), static_cast<size_t>(round + 1));
  }
}

TEST_F(SqliteDatabaseTest, CleanEndLeavesOneFile) {
  Open()->OpenJob(MakeTask()).value();
  int files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_.path())) ++files;
  EXPECT_EQ(files, 1);
}

TEST_F(SqliteDatabaseTest, FileThatIsNoDatabaseIsRefusedAndKept) {
  for (const std::string& bytes : {std::string("hello"), std::string(5000, 'x')}) {
    WriteFile(bytes);
    for (const DatabaseAccess access : {DatabaseAccess::kTune, DatabaseAccess::kRead}) {
      const absl::Status status = OpenError(access);
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(path_));
      EXPECT_EQ(ReadFile(), bytes);
    }
  }
}

TEST_F(SqliteDatabaseTest, DamagedDatabaseIsRefusedAndKept) {
  {
    auto database = Open();
    const Job job = database->OpenJob(MakeTask()).value();
    for (uint64_t i = 1; i < 200; ++i)
      ASSERT_TRUE(database->Append(MakeRecord(job, i, i), TrialStage::kSearch, i).ok());
  }
  std::string bytes = ReadFile();
  ASSERT_GT(bytes.size(), 32768);
  for (size_t i = 8192; i < 24576; ++i) bytes[i] = static_cast<char>(i * 31);
  WriteFile(bytes);
  EXPECT_EQ(OpenError().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReadFile(), bytes);
}

TEST_F(SqliteDatabaseTest, DatabaseOfSomethingElseIsRefused) {
  Sql("CREATE TABLE photos (name TEXT)");
  const absl::Status status = OpenError();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("another program"));
}

TEST_F(SqliteDatabaseTest, NewerSchemaIsRefused) {
  Open().reset();
  Sql("PRAGMA user_version = 3");
  const absl::Status status = OpenError();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("schema version 3"));
}

TEST_F(SqliteDatabaseTest, RecordsOfTheFirstSchemaAreReadAsTheyAreAndUpgradedByATuner) {
  {
    const auto database = Open();
    const Job job = database->OpenJob(MakeTask()).value();
    ASSERT_TRUE(database->Append(MakeRecord(job, 1, 500), TrialStage::kSearch, 1).ok());
  }
  Sql("ALTER TABLE tasks DROP COLUMN cache_mode; PRAGMA user_version = 1");
  const std::string before = ReadFile();
  for (const DatabaseAccess access : {DatabaseAccess::kRead, DatabaseAccess::kTune}) {
    const auto database = OpenSqliteDatabase(path_, access);
    ASSERT_TRUE(database.ok()) << database.status();
    const std::vector<TaskSummary> tasks = (*database)->Tasks().value();
    ASSERT_EQ(tasks.size(), 1);
    EXPECT_EQ(tasks[0].trials, 1);
    EXPECT_EQ(tasks[0].task.cache_mode, v1::CACHE_MODE_WARM);
    EXPECT_TRUE((*database)->Best(TaskDigest(MakeTask()))->has_value());
    if (access == DatabaseAccess::kRead) {
      EXPECT_EQ(ReadFile(), before);
    }
  }
  TaskIdentity rotating = MakeTask();
  rotating.cache_mode = v1::CACHE_MODE_ROTATING;
  const auto database = Open();
  ASSERT_TRUE(database->OpenJob(rotating).ok());
  ASSERT_EQ(database->Tasks()->size(), 2);
  EXPECT_EQ(database->Tasks()->back().task.cache_mode, v1::CACHE_MODE_ROTATING);
  EXPECT_FALSE(database->Best(TaskDigest(rotating))->has_value());
}

TEST_F(SqliteDatabaseTest, MissingFileOrFolderIsNotFound) {
  EXPECT_EQ(OpenError(DatabaseAccess::kRead).code(), absl::StatusCode::kNotFound);
  path_ = folder_ / "nowhere/records.db";
  EXPECT_EQ(OpenError().code(), absl::StatusCode::kNotFound);
  path_ = folder_.path();
  EXPECT_EQ(OpenError().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace tunefleet::tuner
