// Schema, version 2 (PRAGMA user_version; PRAGMA application_id names the program; version 1 had no tasks.cache_mode,
// and all its trials ran on warm caches):
//
//   tasks            one row per task: its identity, its job, the job's cursor
//   pending          trials written down and not yet recorded, with their kernels in pending_kernels
//   records          one row per recorded trial; `latency_ns` is null unless the result may be a best
#include "tuner/database/sqlite_schema.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tunefleet::tuner {
namespace {

constexpr int64_t kApplicationId = 0x54464442;  // "TFDB"
constexpr int64_t kSchemaVersion = 2;

constexpr char kSchema[] = R"sql(
  CREATE TABLE tasks (
    digest BLOB PRIMARY KEY,
    workload_key TEXT NOT NULL,
    workload BLOB NOT NULL,
    target BLOB NOT NULL,
    device_class TEXT NOT NULL,
    job_id TEXT NOT NULL UNIQUE,
    cursor INTEGER NOT NULL DEFAULT 0,
    cache_mode INTEGER NOT NULL DEFAULT 1);
  CREATE INDEX tasks_by_workload ON tasks (workload_key);
  CREATE TABLE pending (
    job_id TEXT NOT NULL REFERENCES tasks (job_id),
    number INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    PRIMARY KEY (job_id, number)) WITHOUT ROWID;
  CREATE TABLE pending_kernels (
    job_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    config BLOB NOT NULL,
    pass_pipeline TEXT NOT NULL,
    PRIMARY KEY (job_id, number, position),
    FOREIGN KEY (job_id, number) REFERENCES pending (job_id, number) ON DELETE CASCADE) WITHOUT ROWID;
  CREATE TABLE records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL REFERENCES tasks (job_id),
    number INTEGER NOT NULL,
    task BLOB NOT NULL REFERENCES tasks (digest),
    schedule BLOB NOT NULL,
    stage INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    latency_ns INTEGER,
    record BLOB NOT NULL,
    UNIQUE (job_id, number));
  CREATE INDEX records_by_task ON records (task, stage, latency_ns);
  CREATE INDEX records_by_schedule ON records (task, schedule);
  PRAGMA application_id = 0x54464442;
  PRAGMA user_version = 2;
)sql";

constexpr char kUpgradeFrom1[] = R"sql(
  ALTER TABLE tasks ADD COLUMN cache_mode INTEGER NOT NULL DEFAULT 1;
  PRAGMA user_version = 2;
)sql";

// What a reader, who changes nothing, sees of version 1.
constexpr char kViewOf1[] = R"sql(
  PRAGMA query_only = OFF;
  CREATE TEMP VIEW tasks AS SELECT rowid AS rowid, *, 1 AS cache_mode FROM main.tasks;
  PRAGMA query_only = ON;
)sql";

}  // namespace

absl::Status CheckOrCreateSchema(const SqliteConnection& connection, bool create) {
  TF_ASSIGN_OR_RETURN(const int64_t tables, connection.Number("SELECT count(*) FROM sqlite_master"));
  TF_ASSIGN_OR_RETURN(const int64_t application, connection.Number("PRAGMA application_id"));
  TF_ASSIGN_OR_RETURN(const int64_t version, connection.Number("PRAGMA user_version"));
  if (application == kApplicationId) {
    if (version == kSchemaVersion) return absl::OkStatus();
    if (version == 1 && !create) return connection.Execute(kViewOf1);
    if (version == 1) {
      TF_ASSIGN_OR_RETURN(SqliteTransaction transaction, SqliteTransaction::Begin(connection));
      TF_RETURN_IF_ERROR(connection.Execute(kUpgradeFrom1));
      return transaction.Commit();
    }
    return absl::FailedPreconditionError(
        absl::StrCat("has schema version ", version, ", this program knows ", kSchemaVersion));
  }
  if (tables != 0 || application != 0 || version != 0) {
    return absl::FailedPreconditionError("is an SQLite database of another program");
  }
  if (!create) return absl::FailedPreconditionError("holds no records");
  TF_RETURN_IF_ERROR(connection.Execute("PRAGMA journal_mode = WAL"));
  TF_ASSIGN_OR_RETURN(SqliteTransaction transaction, SqliteTransaction::Begin(connection));
  TF_RETURN_IF_ERROR(connection.Execute(kSchema));
  return transaction.Commit();
}

absl::Status CheckIntegrity(const SqliteConnection& connection) {
  SqliteStatement check = connection.Prepare("PRAGMA quick_check(1)");
  TF_ASSIGN_OR_RETURN(const bool row, check.Step());
  if (row && check.Bytes(0) == "ok") return absl::OkStatus();
  return absl::DataLossError(row ? check.Bytes(0) : "no answer from quick_check");
}

}  // namespace tunefleet::tuner
