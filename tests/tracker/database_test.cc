#include "tracker/store/database.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"
#include "tests/tracker/core_harness.h"
#include "tests/tracker/memory_store.h"

namespace tunefleet::tracker {
namespace {

Commit One(StoreOp op) { return Commit{1, {std::move(op)}}; }
absl::Status Apply(Database* database, StoreOp op) {
  const Commit commit = One(std::move(op));
  return database->Apply({&commit, 1});
}

PutJob Job(const std::string& id) {
  PutJob op;
  op.open.set_job_id(id);
  return op;
}
PutTrial TrialOf(const std::string& job, uint64_t sequence, const std::string& id) {
  return {job, sequence, std::make_shared<const v1::Trial>(MakeTrial(id, id))};
}
PutResult ResultOf(const std::string& job, uint64_t cursor, Fence fence, const std::string& id) {
  return {job, cursor, fence, std::make_shared<const v1::TrialResult>(MakeOutcome(id))};
}

// Everything in a snapshot but the epoch, as text.
std::string Text(const Snapshot& snapshot) {
  std::ostringstream out;
  for (const auto& job : snapshot.jobs) {
    out << "job " << job.open.ShortDebugString() << " " << job.acknowledged << " " << job.last_cursor << "\n";
  }
  for (const auto& trial : snapshot.trials) {
    out << "trial " << trial.trial_id << " " << trial.job_id << " " << trial.sequence << " " << trial.fence.epoch << "/"
        << trial.fence.counter << " " << trial.blames << " "
        << (trial.trial == nullptr ? "done" : trial.trial->ShortDebugString()) << "\n";
  }
  for (const auto& lease : snapshot.leases) {
    out << "lease " << lease.trial_id << " " << lease.fence.epoch << "/" << lease.fence.counter << " "
        << lease.device_id << " " << lease.agent_id << " " << lease.started << "\n";
  }
  for (const auto& result : snapshot.results) {
    out << "result " << result.job_id << " " << result.cursor << " " << result.result->ShortDebugString() << "\n";
  }
  for (const auto& device : snapshot.devices) {
    out << "device " << device.device.ShortDebugString() << " " << device.agent_id << " " << device.incarnation << " "
        << device.withdrawn << " " << device.quarantines << " " << device.quarantine_cause << "\n";
  }
  return out.str();
}

PutDevice DeviceOf(const std::string& id, const std::string& agent, uint64_t incarnation) {
  PutDevice op{.agent_id = agent, .incarnation = incarnation};
  op.device.set_device_id(id);
  return op;
}

TEST(DatabaseTest, DevicesAreReplacedAndForgotten) {
  TempDir dir;
  auto database = *Database::Open(dir / "tracker.db");
  ASSERT_TRUE(Apply(database.get(), DeviceOf("d", "a", ~uint64_t{0})).ok());
  ASSERT_TRUE(Apply(database.get(), DeviceOf("e", "a", 1)).ok());
  PutDevice sick = DeviceOf("d", "b", ~uint64_t{0} - 1);
  sick.withdrawn = true;
  sick.quarantines = 3;
  sick.quarantine_cause = "why";
  ASSERT_TRUE(Apply(database.get(), sick).ok());
  ASSERT_TRUE(Apply(database.get(), ForgetDevice{"e"}).ok());
  Snapshot expected;
  expected.devices = {sick};
  EXPECT_EQ(Text(*database->Load()), Text(expected));
}

TEST(DatabaseTest, EpochRisesAtEveryOpen) {
  TempDir dir;
  for (uint64_t epoch = 1; epoch <= 3; ++epoch) {
    auto database = Database::Open(dir / "tracker.db");
    ASSERT_TRUE(database.ok()) << database.status();
    EXPECT_EQ((*database)->Load()->epoch, epoch);
  }
}

TEST(DatabaseTest, TrackerThatWasReplacedWritesNothing) {
  TempDir dir;
  auto old_one = *Database::Open(dir / "tracker.db");
  auto new_one = *Database::Open(dir / "tracker.db");
  EXPECT_EQ(Apply(old_one.get(), Job("j")).code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(Apply(new_one.get(), Job("k")).ok());
  EXPECT_EQ(new_one->Load()->jobs.size(), 1u);
}

TEST(DatabaseTest, RefusedOpUndoesItsWholeTransaction) {
  TempDir dir;
  auto database = *Database::Open(dir / "tracker.db");
  ASSERT_TRUE(Apply(database.get(), Job("j")).ok());
  ASSERT_TRUE(Apply(database.get(), TrialOf("j", 1, "t")).ok());
  ASSERT_TRUE(Apply(database.get(), PutLease{"t", {1, 5}, "d", "a"}).ok());
  const std::string before = Text(*database->Load());
  const std::vector<StoreOp> refused = {
      TrialOf("j", 2, "t"),             // known
      TrialOf("none", 2, "u"),          // no such job
      PutLease{"t", {1, 6}, "d", "a"},  // leased
      PutLease{"u", {1, 6}, "d", "a"},  // unknown
      StartLease{"t", {1, 4}},          // another fence
      DropLease{"t", {1, 4}, 0},        //
      ResultOf("j", 1, {1, 4}, "t"),    // older fence
      ResultOf("j", 2, {1, 5}, "t"),    // a gap
      ForgetResults{"j", 1},            // past the last
  };
  for (size_t i = 0; i < refused.size(); ++i) {
    const Commit commit{1, {Job("new"), refused[i]}};
    EXPECT_EQ(database->Apply({&commit, 1}).code(), absl::StatusCode::kFailedPrecondition) << i;
    EXPECT_EQ(Text(*database->Load()), before) << i;
  }
  ASSERT_TRUE(Apply(database.get(), ResultOf("j", 1, {1, 5}, "t")).ok());
  EXPECT_FALSE(Apply(database.get(), ResultOf("j", 2, {1, 5}, "t")).ok()) << "a second result";
  EXPECT_FALSE(Apply(database.get(), PutLease{"t", {1, 9}, "d", "a"}).ok()) << "a lease after the result";
}

TEST(DatabaseTest, SaysTheSameAsThePlainModelOnRandomOps) {
  TempDir dir;
  auto database = *Database::Open(dir / "tracker.db");
  MemoryStore model;
  std::mt19937_64 random(7);
  int accepted = 0;
  for (int i = 0; i < 1500; ++i) {
    const std::string job = absl::StrCat("j", random() % 3);
    const std::string trial = absl::StrCat("t", random() % 12);
    const Fence fence{1 + random() % 2, 1 + random() % 20};
    StoreOp op;
    switch (random() % 8) {
      case 0:
        op = Job(job);
        break;
      case 1:
        op = TrialOf(job, 100 + i, trial);
        break;
      case 2:
        op = PutLease{trial, fence, "d", "a"};
        break;
      case 3:
        op = StartLease{trial, fence};
        break;
      case 4:
        op = DropLease{trial, fence, static_cast<int>(random() % 3)};
        break;
      case 5:
      case 6: {
        // The trial's own job: the core never mixes them.
        std::string owner;
        const Snapshot now = model.Load(1);
        for (const auto& known : now.trials) {
          if (known.trial_id == trial) owner = known.job_id;
        }
        if (owner.empty()) continue;
        uint64_t last = 0;
        for (const auto& known : now.jobs) {
          if (known.open.job_id() == owner) last = known.last_cursor;
        }
        op = ResultOf(owner, last + 1 + (random() % 4 == 0), fence, trial);
        break;
      }
      default:
        op = ForgetResults{job, random() % 3};
        break;
    }
    if (std::holds_alternative<ForgetResults>(op) &&
        Text(model.Load(1)).find("job job_id: \"" + job) == std::string::npos) {
      continue;
    }
    if (i % 200 == 199) op = ForgetJob{job};
    MemoryStore next = model;
    const bool model_takes = next.Apply(One(op)).ok();
    if (std::holds_alternative<ForgetJob>(op) && Text(model.Load(1)).find("lease") != std::string::npos) continue;
    const bool database_takes = Apply(database.get(), op).ok();
    ASSERT_EQ(database_takes, model_takes) << "op " << i << " of kind " << op.index();
    if (!model_takes) continue;
    ++accepted;
    model = next;
    ASSERT_EQ(Text(*database->Load()), Text(model.Load(1))) << "op " << i << " of kind " << op.index();
  }
  EXPECT_GT(accepted, 100);
}

TEST(DatabaseTest, WhatIsNoDatabaseIsNamedAndLeftAsItIs) {
  TempDir dir;
  const std::string garbage(5000, 'x');
  std::ofstream(dir / "tracker.db") << garbage;
  const auto database = Database::Open(dir / "tracker.db");
  EXPECT_EQ(database.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(std::string(database.status().message()).find(dir / "tracker.db"), std::string::npos);
  std::ifstream file(dir / "tracker.db");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), garbage);
}

TEST(DatabaseTest, DamagedPagesAreCorruption) {
  TempDir dir;
  {
    auto database = *Database::Open(dir / "tracker.db");
    ASSERT_TRUE(Apply(database.get(), Job("j")).ok());
    for (int i = 1; i < 200; ++i) ASSERT_TRUE(Apply(database.get(), TrialOf("j", i, absl::StrCat("t", i))).ok());
  }
  std::fstream file(dir / "tracker.db", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(40000, '\x5a');
  file.close();
  EXPECT_EQ(Database::Open(dir / "tracker.db").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace tunefleet::tracker
