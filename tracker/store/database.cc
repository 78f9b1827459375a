#include "tracker/store/database.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "tracker/store/sqlite.h"

namespace tunefleet::tracker {
namespace {

constexpr int64_t kSchema = 1;

constexpr char kTables[] = R"sql(
  CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS jobs(
    job_id TEXT PRIMARY KEY, open BLOB NOT NULL, acknowledged INTEGER NOT NULL, last_cursor INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS trials(
    trial_id TEXT PRIMARY KEY, job_id TEXT NOT NULL, sequence INTEGER NOT NULL, epoch INTEGER NOT NULL,
    counter INTEGER NOT NULL, blames INTEGER NOT NULL, trial BLOB);
  CREATE INDEX IF NOT EXISTS trials_of_job ON trials(job_id);
  CREATE TABLE IF NOT EXISTS leases(
    trial_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, counter INTEGER NOT NULL, device_id TEXT NOT NULL,
    agent_id TEXT NOT NULL, started INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS results(
    job_id TEXT NOT NULL, cursor INTEGER NOT NULL, result BLOB NOT NULL, PRIMARY KEY(job_id, cursor));
  CREATE TABLE IF NOT EXISTS devices(
    device_id TEXT PRIMARY KEY, device BLOB NOT NULL, agent_id TEXT NOT NULL, incarnation INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL, quarantines INTEGER NOT NULL, quarantine_cause TEXT NOT NULL) WITHOUT ROWID;
)sql";

// "at least one row was changed" as a status.
absl::Status Changed(const absl::StatusOr<int>& rows, absl::string_view refusal) {
  if (!rows.ok()) return rows.status();
  return *rows > 0 ? absl::OkStatus() : absl::FailedPreconditionError(std::string(refusal));
}

absl::Status Damaged(const std::string& path, const absl::Status& status) {
  if (status.code() != absl::StatusCode::kDataLoss) {
    return absl::Status(status.code(), absl::StrCat("tracker database ", path, ": ", status.message()));
  }
  return absl::DataLossError(absl::StrCat("tracker database ", path, " is corrupt (", status.message(),
                                          "); it was left as it is: restore a copy or move it away"));
}

template <typename Message>
absl::Status Parse(const std::string& bytes, absl::string_view what, Message* message) {
  if (message->ParseFromString(bytes)) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("a stored ", what, " cannot be parsed"));
}

}  // namespace

struct Database::Statements {
  Sqlite sqlite;
  std::string path;
  SqliteStatement epoch;
  SqliteStatement put_job;
  SqliteStatement put_trial;
  SqliteStatement fence_trial;
  SqliteStatement put_lease;
  SqliteStatement start_lease;
  SqliteStatement drop_lease;
  SqliteStatement end_lease;
  SqliteStatement blame_trial;
  SqliteStatement finish_trial;
  SqliteStatement next_cursor;
  SqliteStatement put_result;
  SqliteStatement acknowledge;
  SqliteStatement forget_results;
  SqliteStatement forget_job_trials;
  SqliteStatement forget_job_results;
  SqliteStatement forget_job;
  SqliteStatement put_device;
  SqliteStatement forget_device;

  static absl::StatusOr<Statements> Make(Sqlite sqlite, const std::string& path) {
    absl::Status failure;
    const auto prepare = [&](absl::string_view sql) {
      absl::StatusOr<SqliteStatement> statement = sqlite.Prepare(sql);
      if (statement.ok()) return std::move(statement).value();
      failure.Update(statement.status());
      return SqliteStatement(nullptr);
    };
    SqliteStatement epoch = prepare("SELECT value FROM meta WHERE name = 'epoch'");
    SqliteStatement put_job =
        prepare("INSERT INTO jobs VALUES(?1, ?2, 0, 0) ON CONFLICT(job_id) DO UPDATE SET open = excluded.open");
    SqliteStatement put_trial = prepare(
        "INSERT INTO trials SELECT ?1, ?2, ?3, 0, 0, 0, ?4 WHERE EXISTS (SELECT 1 FROM jobs WHERE job_id = ?2)");
    SqliteStatement fence_trial = prepare(
        "UPDATE trials SET epoch = ?2, counter = ?3 WHERE trial_id = ?1 AND trial IS NOT NULL"
        " AND (epoch, counter) < (?2, ?3)");
    SqliteStatement put_lease = prepare("INSERT INTO leases VALUES(?1, ?2, ?3, ?4, ?5, 0)");
    SqliteStatement start_lease =
        prepare("UPDATE leases SET started = 1 WHERE trial_id = ?1 AND epoch = ?2 AND counter = ?3");
    SqliteStatement drop_lease = prepare("DELETE FROM leases WHERE trial_id = ?1 AND epoch = ?2 AND counter = ?3");
    SqliteStatement end_lease = prepare("DELETE FROM leases WHERE trial_id = ?1");
    SqliteStatement blame_trial = prepare("UPDATE trials SET blames = ?2 WHERE trial_id = ?1");
    SqliteStatement finish_trial = prepare(
        "UPDATE trials SET trial = NULL WHERE trial_id = ?1 AND job_id = ?2 AND trial IS NOT NULL"
        " AND (epoch, counter) <= (?3, ?4)");
    SqliteStatement next_cursor =
        prepare("UPDATE jobs SET last_cursor = ?2 WHERE job_id = ?1 AND last_cursor = ?2 - 1");
    SqliteStatement put_result = prepare("INSERT INTO results VALUES(?1, ?2, ?3)");
    SqliteStatement acknowledge =
        prepare("UPDATE jobs SET acknowledged = max(acknowledged, ?2) WHERE job_id = ?1 AND last_cursor >= ?2");
    SqliteStatement forget_results = prepare("DELETE FROM results WHERE job_id = ?1 AND cursor <= ?2");
    SqliteStatement forget_job_trials = prepare("DELETE FROM trials WHERE job_id = ?1");
    SqliteStatement forget_job_results = prepare("DELETE FROM results WHERE job_id = ?1");
    SqliteStatement forget_job = prepare("DELETE FROM jobs WHERE job_id = ?1");
    SqliteStatement put_device = prepare("INSERT OR REPLACE INTO devices VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    SqliteStatement forget_device = prepare("DELETE FROM devices WHERE device_id = ?1");
    TF_RETURN_IF_ERROR(failure);
    return Statements{std::move(sqlite),
                      path,
                      std::move(epoch),
                      std::move(put_job),
                      std::move(put_trial),
                      std::move(fence_trial),
                      std::move(put_lease),
                      std::move(start_lease),
                      std::move(drop_lease),
                      std::move(end_lease),
                      std::move(blame_trial),
                      std::move(finish_trial),
                      std::move(next_cursor),
                      std::move(put_result),
                      std::move(acknowledge),
                      std::move(forget_results),
                      std::move(forget_job_trials),
                      std::move(forget_job_results),
                      std::move(forget_job),
                      std::move(put_device),
                      std::move(forget_device)};
  }
};

Database::Database() = default;
Database::~Database() = default;

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  std::unique_ptr<Database> database(new Database());
  if (absl::Status status = database->Initialize(path); !status.ok()) return Damaged(path, status);
  return database;
}

absl::Status Database::Initialize(const std::string& path) {
  TF_ASSIGN_OR_RETURN(Sqlite sqlite, Sqlite::Open(path));
  TF_RETURN_IF_ERROR(
      sqlite.Execute("PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"));
  {
    TF_ASSIGN_OR_RETURN(SqliteStatement check, sqlite.Prepare("PRAGMA quick_check(1)"));
    TF_ASSIGN_OR_RETURN(const bool row, check.Step());
    if (!row || check.Bytes(0) != "ok") return absl::DataLossError(row ? check.Bytes(0) : "the check gave nothing");
  }
  TF_RETURN_IF_ERROR(sqlite.Execute("BEGIN IMMEDIATE"));
  TF_RETURN_IF_ERROR(sqlite.Execute(kTables));
  TF_RETURN_IF_ERROR(
      sqlite.Execute(absl::StrCat("INSERT OR IGNORE INTO meta VALUES('schema', ", kSchema, "), ('epoch', 0)")));
  {
    TF_ASSIGN_OR_RETURN(SqliteStatement schema, sqlite.Prepare("SELECT value FROM meta WHERE name = 'schema'"));
    TF_ASSIGN_OR_RETURN(const bool row, schema.Step());
    if (!row || schema.Int(0) != kSchema) {
      return absl::FailedPreconditionError(absl::StrCat("schema ", row ? schema.Int(0) : 0,
                                                        " was written by another version; this one reads ", kSchema));
    }
  }
  TF_RETURN_IF_ERROR(sqlite.Execute("UPDATE meta SET value = value + 1 WHERE name = 'epoch'"));
  TF_RETURN_IF_ERROR(sqlite.Execute("COMMIT"));
  TF_ASSIGN_OR_RETURN(Statements statements, Statements::Make(std::move(sqlite), path));
  statements_ = std::make_unique<Statements>(std::move(statements));
  TF_ASSIGN_OR_RETURN(const bool row, statements_->epoch.Step());
  if (!row) return absl::DataLossError("the epoch is gone");
  epoch_ = static_cast<uint64_t>(statements_->epoch.Int(0));
  statements_->epoch.Reset();
  return absl::OkStatus();
}

absl::Status Database::CheckEpoch() {
  SqliteStatement& epoch = statements_->epoch;
  const absl::StatusOr<bool> row = epoch.Step();
  const uint64_t stored = row.ok() && *row ? static_cast<uint64_t>(epoch.Int(0)) : 0;
  epoch.Reset();
  TF_RETURN_IF_ERROR(row.status());
  if (stored == epoch_) return absl::OkStatus();
  return absl::AbortedError(
      absl::StrCat("the stored epoch is ", stored, ", this tracker's is ", epoch_, ": another tracker has taken over"));
}

absl::Status Database::Apply(std::span<const Commit> commits) {
  TF_RETURN_IF_ERROR(statements_->sqlite.Execute("BEGIN IMMEDIATE"));
  absl::Status status = ApplyAll(commits);
  if (status.ok()) status = statements_->sqlite.Execute("COMMIT");
  if (status.ok()) return status;
  statements_->sqlite.Execute("ROLLBACK").IgnoreError();  // some errors have rolled back already
  return absl::Status(status.code(), absl::StrCat("tracker database ", statements_->path, ": ", status.message()));
}

absl::Status Database::ApplyAll(std::span<const Commit> commits) {
  TF_RETURN_IF_ERROR(CheckEpoch());
  for (const Commit& commit : commits) {
    for (const StoreOp& op : commit.ops) {
      TF_RETURN_IF_ERROR(std::visit([this](const auto& what) { return ApplyOp(what); }, op));
    }
  }
  return absl::OkStatus();
}

absl::Status Database::ApplyOp(const PutJob& op) {
  return statements_->put_job.BindText(1, op.open.job_id()).BindBlob(2, op.open.SerializeAsString()).Run().status();
}

absl::Status Database::ApplyOp(const PutTrial& op) {
  const std::string& trial_id = op.trial->trial_id();
  SqliteStatement& put = statements_->put_trial;
  put.BindText(1, trial_id).BindText(2, op.job_id).Bind(3, op.sequence).BindBlob(4, op.trial->SerializeAsString());
  return Changed(put.Run(), absl::StrCat("trial ", trial_id, ": no job ", op.job_id));
}

absl::Status Database::ApplyOp(const PutLease& op) {
  SqliteStatement& fence = statements_->fence_trial;
  fence.BindText(1, op.trial_id).Bind(2, op.fence.epoch).Bind(3, op.fence.counter);
  TF_RETURN_IF_ERROR(Changed(fence.Run(), absl::StrCat("lease of ", op.trial_id, ": the stored fence is newer")));
  SqliteStatement& put = statements_->put_lease;
  put.BindText(1, op.trial_id).Bind(2, op.fence.epoch).Bind(3, op.fence.counter);
  return put.BindText(4, op.device_id).BindText(5, op.agent_id).Run().status();
}

absl::Status Database::ApplyOp(const StartLease& op) {
  SqliteStatement& start = statements_->start_lease;
  start.BindText(1, op.trial_id).Bind(2, op.fence.epoch).Bind(3, op.fence.counter);
  return Changed(start.Run(), absl::StrCat("start of ", op.trial_id, ": no such lease"));
}

absl::Status Database::ApplyOp(const DropLease& op) {
  SqliteStatement& drop = statements_->drop_lease;
  drop.BindText(1, op.trial_id).Bind(2, op.fence.epoch).Bind(3, op.fence.counter);
  TF_RETURN_IF_ERROR(Changed(drop.Run(), absl::StrCat("return of ", op.trial_id, ": no such lease")));
  return statements_->blame_trial.BindText(1, op.trial_id).Bind(2, op.blames).Run().status();
}

absl::Status Database::ApplyOp(const PutResult& op) {
  const std::string& trial_id = op.result->trial_id();
  SqliteStatement& finish = statements_->finish_trial;
  finish.BindText(1, trial_id).BindText(2, op.job_id).Bind(3, op.fence.epoch).Bind(4, op.fence.counter);
  TF_RETURN_IF_ERROR(
      Changed(finish.Run(), absl::StrCat("result of ", trial_id, ": it has one, or the stored fence is newer")));
  TF_RETURN_IF_ERROR(Changed(statements_->next_cursor.BindText(1, op.job_id).Bind(2, op.cursor).Run(),
                             absl::StrCat("result of ", trial_id, ": cursor ", op.cursor, " is not the next")));
  TF_RETURN_IF_ERROR(statements_->end_lease.BindText(1, trial_id).Run().status());
  SqliteStatement& put = statements_->put_result;
  return put.BindText(1, op.job_id).Bind(2, op.cursor).BindBlob(3, op.result->SerializeAsString()).Run().status();
}

absl::Status Database::ApplyOp(const ForgetResults& op) {
  TF_RETURN_IF_ERROR(Changed(statements_->acknowledge.BindText(1, op.job_id).Bind(2, op.cursor).Run(),
                             absl::StrCat("job ", op.job_id, ": cursor ", op.cursor, " is past the last")));
  return statements_->forget_results.BindText(1, op.job_id).Bind(2, op.cursor).Run().status();
}

absl::Status Database::ApplyOp(const ForgetJob& op) {
  TF_RETURN_IF_ERROR(statements_->forget_job_trials.BindText(1, op.job_id).Run().status());
  TF_RETURN_IF_ERROR(statements_->forget_job_results.BindText(1, op.job_id).Run().status());
  return statements_->forget_job.BindText(1, op.job_id).Run().status();
}

absl::Status Database::ApplyOp(const PutDevice& op) {
  SqliteStatement& put = statements_->put_device;
  put.BindText(1, op.device.device_id()).BindBlob(2, op.device.SerializeAsString()).BindText(3, op.agent_id);
  put.Bind(4, op.incarnation).Bind(5, op.withdrawn ? 1 : 0).Bind(6, op.quarantines);
  return put.BindText(7, op.quarantine_cause).Run().status();
}

absl::Status Database::ApplyOp(const ForgetDevice& op) {
  return statements_->forget_device.BindText(1, op.device_id).Run().status();
}

namespace {

// Calls `row` for every row of the query.
template <typename Row>
absl::Status ForEach(Sqlite* sqlite, absl::string_view sql, Row row) {
  TF_ASSIGN_OR_RETURN(SqliteStatement query, sqlite->Prepare(sql));
  while (true) {
    TF_ASSIGN_OR_RETURN(const bool more, query.Step());
    if (!more) return absl::OkStatus();
    TF_RETURN_IF_ERROR(row(query));
  }
}

Fence ReadFence(const SqliteStatement& row, int column) {
  return {static_cast<uint64_t>(row.Int(column)), static_cast<uint64_t>(row.Int(column + 1))};
}

absl::Status ReadAll(Sqlite* sqlite, Snapshot* snapshot) {
  TF_RETURN_IF_ERROR(
      ForEach(sqlite, "SELECT open, acknowledged, last_cursor FROM jobs", [&](const SqliteStatement& row) {
        Snapshot::Job& job = snapshot->jobs.emplace_back();
        job.acknowledged = static_cast<uint64_t>(row.Int(1));
        job.last_cursor = static_cast<uint64_t>(row.Int(2));
        return Parse(row.Bytes(0), "job", &job.open);
      }));
  TF_RETURN_IF_ERROR(
      ForEach(sqlite,
              "SELECT trial_id, job_id, sequence, epoch, counter, blames, trial FROM trials JOIN jobs USING(job_id)"
              " ORDER BY sequence",
              [&](const SqliteStatement& row) {
                Snapshot::Trial& trial = snapshot->trials.emplace_back();
                trial.trial_id = row.Bytes(0);
                trial.job_id = row.Bytes(1);
                trial.sequence = static_cast<uint64_t>(row.Int(2));
                trial.fence = ReadFence(row, 3);
                trial.blames = static_cast<int>(row.Int(5));
                if (row.IsNull(6)) return absl::OkStatus();
                const auto spec = std::make_shared<v1::Trial>();
                trial.trial = spec;
                return Parse(row.Bytes(6), "trial", spec.get());
              }));
  TF_RETURN_IF_ERROR(ForEach(
      sqlite,
      "SELECT trial_id, leases.epoch, leases.counter, device_id, agent_id, started FROM leases"
      " JOIN trials USING(trial_id) WHERE trial IS NOT NULL"
      " ORDER BY leases.epoch, leases.counter, trial_id",
      [&](const SqliteStatement& row) {
        snapshot->leases.push_back({row.Bytes(0), ReadFence(row, 1), row.Bytes(3), row.Bytes(4), row.Int(5) != 0});
        return absl::OkStatus();
      }));
  TF_RETURN_IF_ERROR(ForEach(sqlite,
                             "SELECT device, agent_id, incarnation, withdrawn, quarantines, quarantine_cause"
                             " FROM devices ORDER BY device_id",
                             [&](const SqliteStatement& row) {
                               PutDevice& device = snapshot->devices.emplace_back();
                               device.agent_id = row.Bytes(1);
                               device.incarnation = static_cast<uint64_t>(row.Int(2));
                               device.withdrawn = row.Int(3) != 0;
                               device.quarantines = static_cast<int>(row.Int(4));
                               device.quarantine_cause = row.Bytes(5);
                               return Parse(row.Bytes(0), "device", &device.device);
                             }));
  return ForEach(sqlite, "SELECT job_id, cursor, result FROM results JOIN jobs USING(job_id) ORDER BY job_id, cursor",
                 [&](const SqliteStatement& row) {
                   const auto result = std::make_shared<v1::TrialResult>();
                   snapshot->results.push_back({row.Bytes(0), static_cast<uint64_t>(row.Int(1)), result});
                   return Parse(row.Bytes(2), "result", result.get());
                 });
}

}  // namespace

absl::StatusOr<Snapshot> Database::Load() {
  Snapshot snapshot;
  snapshot.epoch = epoch_;
  if (absl::Status status = ReadAll(&statements_->sqlite, &snapshot); !status.ok()) {
    return Damaged(statements_->path, status);
  }
  return snapshot;
}

}  // namespace tunefleet::tracker
