#include "tuner/database/sqlite_database.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/digest.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "tuner/database/sqlite.h"
#include "tuner/database/sqlite_schema.h"

namespace tunefleet::tuner {
namespace {

using common::Mutex;
using common::MutexLock;

constexpr int kWaitMs = 10'000;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// `expected`: what would be right, or nothing.
absl::Status SystemError(const std::string& path, absl::string_view expected = "") {
  const int error = errno;
  const std::string message = absl::StrCat("record database ", path, ": ", strerror(error), expected);
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(message);
  if (error == EACCES || error == EPERM || error == EROFS) return absl::PermissionDeniedError(message);
  return absl::FailedPreconditionError(message);
}

// Creates the file when it is missing and becomes its only tuner.
absl::StatusOr<Descriptor> LockForTuning(const std::string& path) {
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (file.get() < 0) return SystemError(path, "; expected a file in a folder that exists and may be written");
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError(path);
    return absl::FailedPreconditionError(
        absl::StrCat("record database ", path, ": another process is tuning into it; use another file or wait for it"));
  }
  return file;
}

absl::Status Explain(const std::string& path, const absl::Status& status) {
  if (status.code() == absl::StatusCode::kDataLoss) {
    return absl::DataLossError(absl::StrCat("record database ", path, " is damaged or not a database (",
                                            status.message(),
                                            "); it was left as it is: move it away or name another file"));
  }
  return absl::Status(status.code(), absl::StrCat("record database ", path, ": ", status.message()));
}

std::string DrawJobId(const std::string& task_digest) {
  std::random_device random;
  return absl::StrFormat("%s-%08x%08x", common::HexDigest(task_digest).substr(0, 12), random(), random());
}

// Whether the result may be called a best.
bool Rankable(const v1::TuningRecord& record) {
  const v1::TrialResult& result = record.result();
  return result.outcome() == v1::OUTCOME_OK && result.kernels_size() > 0 && !result.kernels(0).censored() &&
         result.kernels(0).latency_ns() > 0;
}

template <typename Message>
absl::Status Parse(const std::string& bytes, Message* message) {
  if (message->ParseFromString(bytes)) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("stored ", message->GetTypeName(), " cannot be read"));
}

class SqliteDatabase : public Database {
 public:
  SqliteDatabase(std::string path, Descriptor lock, SqliteConnection connection)
      : path_(std::move(path)), lock_(std::move(lock)), connection_(std::move(connection)) {}

  absl::StatusOr<Job> OpenJob(const TaskIdentity& task) override {
    MutexLock lock(&mutex_);
    auto job = OpenJobLocked(task);
    return job.ok() ? std::move(job) : Explain(path_, job.status());
  }

  absl::Status AddPending(const std::string& job_id, const PendingTrial& trial) override {
    MutexLock lock(&mutex_);
    const absl::Status status = AddPendingLocked(job_id, trial);
    return status.ok() ? status : Explain(path_, status);
  }

  absl::StatusOr<std::vector<PendingTrial>> Pending(const std::string& job_id) override {
    MutexLock lock(&mutex_);
    auto trials = PendingLocked(job_id);
    return trials.ok() ? std::move(trials) : Explain(path_, trials.status());
  }

  absl::StatusOr<bool> Append(const v1::TuningRecord& record, TrialStage stage, uint64_t cursor) override {
    MutexLock lock(&mutex_);
    auto added = AppendLocked(record, stage, cursor);
    return added.ok() ? std::move(added) : Explain(path_, added.status());
  }

  absl::StatusOr<std::vector<StoredRecord>> Records(const std::string& task_digest) override {
    return List({.task_digest = task_digest, .with_finals = true});
  }

  absl::StatusOr<std::vector<StoredRecord>> List(const RecordFilter& filter) override {
    MutexLock lock(&mutex_);
    auto records = ListLocked(filter);
    return records.ok() ? std::move(records) : Explain(path_, records.status());
  }

  absl::StatusOr<std::optional<v1::TuningRecord>> Best(const std::string& task_digest) override {
    MutexLock lock(&mutex_);
    auto best = BestLocked(task_digest);
    return best.ok() ? std::move(best) : Explain(path_, best.status());
  }

  absl::StatusOr<std::vector<TaskSummary>> Tasks(absl::string_view workload_key) override {
    MutexLock lock(&mutex_);
    auto tasks = TasksLocked(workload_key);
    return tasks.ok() ? std::move(tasks) : Explain(path_, tasks.status());
  }

 private:
  absl::StatusOr<Job> OpenJobLocked(const TaskIdentity& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Job job;
    job.task_digest = TaskDigest(task);
    SqliteStatement find = connection_.Prepare(
        "SELECT job_id, cursor, 1 + max("
        "  (SELECT coalesce(max(number), 0) FROM pending WHERE job_id = tasks.job_id),"
        "  (SELECT coalesce(max(number), 0) FROM records WHERE job_id = tasks.job_id))"
        " FROM tasks WHERE digest = ?");
    TF_ASSIGN_OR_RETURN(const bool found, find.BindBlob(job.task_digest).Step());
    if (found) {
      job.job_id = find.Bytes(0);
      job.cursor = find.Int(1);
      job.next_trial = find.Int(2);
      return job;
    }
    job.job_id = DrawJobId(job.task_digest);
    TF_RETURN_IF_ERROR(connection_
                           .Prepare("INSERT INTO tasks (digest, workload_key, workload, target, device_class, job_id,"
                                    " cache_mode) VALUES (?, ?, ?, ?, ?, ?, ?)")
                           .BindBlob(job.task_digest)
                           .BindText(task.workload_key)
                           .BindBlob(task.workload.SerializeAsString())
                           .BindBlob(task.target.SerializeAsString())
                           .BindText(task.device_class)
                           .BindText(job.job_id)
                           .Bind(static_cast<int64_t>(task.cache_mode))
                           .Run());
    return job;
  }

  absl::Status RequireJob(const std::string& job_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    SqliteStatement find = connection_.Prepare("SELECT 1 FROM tasks WHERE job_id = ?");
    TF_ASSIGN_OR_RETURN(const bool found, find.BindText(job_id).Step());
    return found ? absl::OkStatus() : absl::NotFoundError(absl::StrCat("no job \"", job_id, "\""));
  }

  absl::Status AddPendingLocked(const std::string& job_id, const PendingTrial& trial)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    TF_RETURN_IF_ERROR(RequireJob(job_id));
    TF_ASSIGN_OR_RETURN(SqliteTransaction transaction, SqliteTransaction::Begin(connection_));
    SqliteStatement recorded = connection_.Prepare("SELECT 1 FROM records WHERE job_id = ? AND number = ?");
    TF_ASSIGN_OR_RETURN(const bool is_recorded, recorded.BindText(job_id).Bind(trial.number).Step());
    if (is_recorded) return absl::AlreadyExistsError(absl::StrCat(TrialId(job_id, trial.number), " has a record"));
    TF_RETURN_IF_ERROR(connection_.Prepare("INSERT INTO pending (job_id, number, stage) VALUES (?, ?, ?)")
                           .BindText(job_id)
                           .Bind(trial.number)
                           .Bind(static_cast<int64_t>(trial.stage))
                           .Run());
    for (size_t position = 0; position < trial.kernels.size(); ++position) {
      TF_RETURN_IF_ERROR(connection_.Prepare("INSERT INTO pending_kernels VALUES (?, ?, ?, ?, ?)")
                             .BindText(job_id)
                             .Bind(trial.number)
                             .Bind(position)
                             .BindBlob(trial.kernels[position].config.SerializeAsString())
                             .BindText(trial.kernels[position].pass_pipeline)
                             .Run());
    }
    return transaction.Commit();
  }

  absl::StatusOr<std::vector<PendingTrial>> PendingLocked(const std::string& job_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    SqliteStatement rows = connection_.Prepare(
        "SELECT number, stage, config, pass_pipeline FROM pending LEFT JOIN pending_kernels USING (job_id, number)"
        " WHERE job_id = ? ORDER BY number, position");
    rows.BindText(job_id);
    std::vector<PendingTrial> trials;
    while (true) {
      TF_ASSIGN_OR_RETURN(const bool row, rows.Step());
      if (!row) return trials;
      const uint64_t number = rows.Int(0);
      if (trials.empty() || trials.back().number != number) {
        trials.push_back({.number = number, .stage = static_cast<TrialStage>(rows.Int(1))});
      }
      if (rows.IsNull(2)) continue;
      PlannedKernel kernel{.pass_pipeline = rows.Bytes(3)};
      TF_RETURN_IF_ERROR(Parse(rows.Bytes(2), &kernel.config));
      trials.back().kernels.push_back(std::move(kernel));
    }
  }

  absl::StatusOr<bool> AppendLocked(const v1::TuningRecord& record, TrialStage stage, uint64_t cursor)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::string& job_id = record.job_id();
    TF_RETURN_IF_ERROR(RequireJob(job_id));
    absl::string_view suffix = record.trial_id();
    int64_t number = 0;
    if (!absl::ConsumePrefix(&suffix, absl::StrCat(job_id, ".")) || !absl::SimpleAtoi(suffix, &number) || number < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("trial \"", record.trial_id(), "\" is none of job \"", job_id, "\""));
    }
    TF_ASSIGN_OR_RETURN(SqliteTransaction transaction, SqliteTransaction::Begin(connection_));
    SqliteStatement insert = connection_.Prepare(
        "INSERT OR IGNORE INTO records (job_id, number, task, schedule, stage, outcome, latency_ns, record)"
        " SELECT job_id, ?, digest, ?, ?, ?, ?, ? FROM tasks WHERE job_id = ?");
    insert.Bind(number)
        .BindBlob(ScheduleDigest(record.schedule()))
        .Bind(static_cast<int64_t>(stage))
        .Bind(record.result().outcome());
    if (Rankable(record)) {
      insert.Bind(static_cast<int64_t>(record.result().kernels(0).latency_ns()));
    } else {
      insert.BindNull();
    }
    TF_RETURN_IF_ERROR(insert.BindBlob(record.SerializeAsString()).BindText(job_id).Run());
    const bool added = connection_.Changes() > 0;
    TF_RETURN_IF_ERROR(
        connection_.Prepare("DELETE FROM pending WHERE job_id = ? AND number = ?").BindText(job_id).Bind(number).Run());
    TF_RETURN_IF_ERROR(connection_.Prepare("UPDATE tasks SET cursor = max(cursor, ?) WHERE job_id = ?")
                           .Bind(cursor)
                           .BindText(job_id)
                           .Run());
    TF_RETURN_IF_ERROR(transaction.Commit());
    return added;
  }

  absl::StatusOr<std::vector<StoredRecord>> ListLocked(const RecordFilter& filter)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::string where = filter.with_finals ? "1" : "stage = 0";
    if (!filter.task_digest.empty()) absl::StrAppend(&where, " AND task = ?");
    if (!filter.workload_key.empty()) absl::StrAppend(&where, " AND workload_key = ?");
    if (!filter.device_class.empty()) absl::StrAppend(&where, " AND device_class = ?");
    if (filter.outcome != v1::OUTCOME_UNSPECIFIED) absl::StrAppend(&where, " AND outcome = ?");
    SqliteStatement rows = connection_.Prepare(absl::StrCat(
        "SELECT stage, record FROM (SELECT id, stage, record FROM records JOIN tasks ON digest = task WHERE ", where,
        " ORDER BY id DESC LIMIT ?) ORDER BY id"));
    if (!filter.task_digest.empty()) rows.BindBlob(filter.task_digest);
    if (!filter.workload_key.empty()) rows.BindText(filter.workload_key);
    if (!filter.device_class.empty()) rows.BindText(filter.device_class);
    if (filter.outcome != v1::OUTCOME_UNSPECIFIED) rows.Bind(filter.outcome);
    rows.Bind(filter.limit);
    std::vector<StoredRecord> records;
    while (true) {
      TF_ASSIGN_OR_RETURN(const bool row, rows.Step());
      if (!row) return records;
      StoredRecord& stored = records.emplace_back();
      stored.stage = static_cast<TrialStage>(rows.Int(0));
      TF_RETURN_IF_ERROR(Parse(rows.Bytes(1), &stored.record));
    }
  }

  absl::StatusOr<std::optional<v1::TuningRecord>> BestLocked(const std::string& task_digest)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    // `verdict`: the last of the finals. Searched trials compete when there is none, or when they came later.
    SqliteStatement best = connection_.Prepare(
        "WITH verdict AS (SELECT id FROM records WHERE task = ?1 AND stage > 0 AND latency_ns IS NOT NULL"
        "                 ORDER BY id DESC LIMIT 1)"
        " SELECT record FROM records WHERE task = ?1 AND latency_ns IS NOT NULL"
        "   AND (id = (SELECT id FROM verdict) OR (stage = 0 AND id > coalesce((SELECT id FROM verdict), 0)))"
        " ORDER BY latency_ns, id LIMIT 1");
    TF_ASSIGN_OR_RETURN(const bool row, best.BindBlob(task_digest).Step());
    if (!row) return std::nullopt;
    v1::TuningRecord record;
    TF_RETURN_IF_ERROR(Parse(best.Bytes(0), &record));
    return record;
  }

  absl::StatusOr<std::vector<TaskSummary>> TasksLocked(absl::string_view workload_key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    SqliteStatement rows = connection_.Prepare(
        "SELECT workload_key, workload, target, device_class, job_id,"
        "  (SELECT count(*) FROM records WHERE task = digest AND stage = 0),"
        "  (SELECT count(*) FROM pending WHERE job_id = tasks.job_id), cache_mode"
        " FROM tasks WHERE ?1 = '' OR workload_key = ?1 ORDER BY tasks.rowid");
    rows.BindText(workload_key);
    std::vector<TaskSummary> tasks;
    while (true) {
      TF_ASSIGN_OR_RETURN(const bool row, rows.Step());
      if (!row) return tasks;
      TaskSummary& summary = tasks.emplace_back();
      summary.task.workload_key = rows.Bytes(0);
      TF_RETURN_IF_ERROR(Parse(rows.Bytes(1), &summary.task.workload));
      TF_RETURN_IF_ERROR(Parse(rows.Bytes(2), &summary.task.target));
      summary.task.device_class = rows.Bytes(3);
      summary.job_id = rows.Bytes(4);
      summary.trials = rows.Int(5);
      summary.pending = rows.Int(6);
      summary.task.cache_mode = static_cast<v1::CacheMode>(rows.Int(7));
    }
  }

  const std::string path_;
  // Closed after the connection: closing any descriptor of a file drops the process's SQLite locks on it.
  const Descriptor lock_;
  // Guards the connection and nothing else: calls queue for it as they would inside SQLite.
  Mutex mutex_;
  SqliteConnection connection_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> OpenSqliteDatabase(const std::string& path, DatabaseAccess access) {
  const bool tune = access == DatabaseAccess::kTune;
  struct stat info;
  if (stat(path.c_str(), &info) == 0) {
    if (!S_ISREG(info.st_mode)) {
      return absl::FailedPreconditionError(
          absl::StrCat("record database ", path, ": not a regular file; expected a file"));
    }
  } else if (!tune) {
    return SystemError(path);
  }
  Descriptor lock;
  if (tune) {
    TF_ASSIGN_OR_RETURN(Descriptor locked, LockForTuning(path));
    lock = std::move(locked);
  }
  auto connection = SqliteConnection::Open(path, tune, kWaitMs);
  if (!connection.ok()) return Explain(path, connection.status());
  absl::Status status = CheckOrCreateSchema(*connection, tune);
  if (status.ok() && tune) status = CheckIntegrity(*connection);
  if (status.ok() && tune) status = connection->Execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  if (!status.ok()) return Explain(path, status);
  return std::make_unique<SqliteDatabase>(path, std::move(lock), *std::move(connection));
}

}  // namespace tunefleet::tuner
