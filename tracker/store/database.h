// The tracker's durable state, as an SQLite file DIR/tracker.db (WAL, synchronous=FULL).
//
//   meta(name, value)                                         schema, epoch
//   jobs(job_id, open, acknowledged, last_cursor)             open: OpenJobRequest
//   trials(trial_id, job_id, sequence, epoch, counter, blames, trial)
//                                                             trial: Trial, NULL once it has its result; (epoch,
//                                                             counter): fence of its last lease
//   leases(trial_id, epoch, counter, device_id, agent_id, started)
//   results(job_id, cursor, result)                           unacknowledged; result: TrialResult
//
// Every transaction first checks that the stored epoch is still the one raised at Open: a tracker that was replaced
// writes nothing. Every op is checked against what is stored (commit.h); a refused op undoes the whole transaction.
// Not thread-safe.
#ifndef TUNEFLEET_TRACKER_STORE_DATABASE_H_
#define TUNEFLEET_TRACKER_STORE_DATABASE_H_

#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tracker/core/commit.h"

namespace tunefleet::tracker {

class Database {
 public:
  // Opens or makes the file and raises the epoch. Errors: DATA_LOSS for a file that is corrupt or no tracker database
  // (it is left as it is), FAILED_PRECONDITION for a newer schema, PERMISSION_DENIED for one that cannot be written.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Everything stored, under the epoch raised at Open. Errors: DATA_LOSS.
  absl::StatusOr<Snapshot> Load();

  // All the commits in one transaction, durable on return. Errors: ABORTED when another tracker raised the epoch,
  // FAILED_PRECONDITION for a refused op, RESOURCE_EXHAUSTED for a full disk, ...; then nothing of it is stored.
  absl::Status Apply(std::span<const Commit> commits);

 private:
  struct Statements;
  Database();
  absl::Status Initialize(const std::string& path);
  absl::Status CheckEpoch();
  absl::Status ApplyAll(std::span<const Commit> commits);
  absl::Status ApplyOp(const PutJob& op);
  absl::Status ApplyOp(const PutTrial& op);
  absl::Status ApplyOp(const PutLease& op);
  absl::Status ApplyOp(const StartLease& op);
  absl::Status ApplyOp(const DropLease& op);
  absl::Status ApplyOp(const PutResult& op);
  absl::Status ApplyOp(const ForgetResults& op);
  absl::Status ApplyOp(const ForgetJob& op);
  absl::Status ApplyOp(const PutDevice& op);
  absl::Status ApplyOp(const ForgetDevice& op);

  uint64_t epoch_ = 0;
  std::unique_ptr<Statements> statements_;  // holds the connection too
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_STORE_DATABASE_H_
