// Database: the seam to what the tuner keeps. Implementations: sqlite (sqlite_database.h), fakes in tests.
//
// A task (workload, target, device class, caches) has one job, and a job has trials. A trial is pending from before it
// is submitted until its record is appended; both steps are durable when the call returns, so that a tuner that is
// killed at any moment loses no trial and records none twice.
#ifndef TUNEFLEET_TUNER_DATABASE_DATABASE_H_
#define TUNEFLEET_TUNER_DATABASE_DATABASE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/build.pb.h"
#include "proto/record.pb.h"

namespace tunefleet::tuner {

// What is tuned, and for what.
struct TaskIdentity {
  std::string workload_key;  // codegen::WorkloadKey of the resolved workload
  v1::Workload workload;
  v1::Target target;
  std::string device_class;
  v1::CacheMode cache_mode = v1::CACHE_MODE_WARM;  // what a run finds in the caches: its times are of no other task
};

// SHA-256 (32 bytes) of the workload's key, the target without what is for people (model) or not the kernel's (cores),
// the device class, and the caches where they are not warm. Threads count.
std::string TaskDigest(const TaskIdentity& task);
// SHA-256 of the schedule, equal for equal schedules.
std::string ScheduleDigest(const v1::Schedule& schedule);
// What builds the record's kernel again.
v1::BuildRequest BuildRequestOf(const v1::TuningRecord& record);

struct Job {
  std::string job_id;       // globally unique; drawn when the task is first opened
  std::string task_digest;  // of its task
  uint64_t next_trial = 1;  // above every trial of the job that was ever pending or recorded
  uint64_t cursor = 0;      // of the last result recorded
};

// "<job id>.<number>": the id of the job's trial, at most 64 characters.
std::string TrialId(const std::string& job_id, uint64_t number);

// What a trial is for. One of the search measures a configuration for the first time; the other two measure known ones
// again, side by side, and their record is that of the fastest kernel, with its KernelResult in front.
enum class TrialStage { kSearch = 0, kFinalists = 1, kWinner = 2 };

struct PlannedKernel {
  v1::Config config;
  std::string pass_pipeline;
};

// A trial without a record. Holds what is needed to make the same trial again.
struct PendingTrial {
  uint64_t number = 0;  // within the job
  TrialStage stage = TrialStage::kSearch;
  std::vector<PlannedKernel> kernels;
};

struct StoredRecord {
  TrialStage stage = TrialStage::kSearch;
  v1::TuningRecord record;
};

// Empty fields match everything.
struct RecordFilter {
  std::string task_digest;
  std::string workload_key;
  std::string device_class;
  v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;
  bool with_finals = false;  // also records of the stages kFinalists and kWinner
  int64_t limit = -1;        // of the newest; -1: all
};

struct TaskSummary {
  TaskIdentity task;
  std::string job_id;
  int64_t trials = 0;   // recorded in the search
  int64_t pending = 0;  // trials without a record
};

// Thread-safe. Every call may fail with UNAVAILABLE (another process held the database too long), DATA_LOSS (corrupt)
// or INTERNAL (the disk); further errors are named.
class Database {
 public:
  virtual ~Database() = default;

  // The task's job; created when there is none.
  virtual absl::StatusOr<Job> OpenJob(const TaskIdentity& task) = 0;

  // Durable when it returns. Call it before the trial is submitted. Errors: NOT_FOUND (no such job), ALREADY_EXISTS
  // (the number was used).
  virtual absl::Status AddPending(const std::string& job_id, const PendingTrial& trial) = 0;
  virtual absl::StatusOr<std::vector<PendingTrial>> Pending(const std::string& job_id) = 0;

  // Adds the record unless its trial has one, ends the trial's pending state and raises the job's cursor, in one
  // transaction, durable when it returns. `cursor` is 0 for trials that never reached a runner. Returns whether the
  // record is new. Errors: NOT_FOUND (record.job_id), INVALID_ARGUMENT (trial_id is not one of the job's).
  virtual absl::StatusOr<bool> Append(const v1::TuningRecord& record, TrialStage stage, uint64_t cursor) = 0;

  // Everything recorded for the task, all stages, oldest first.
  virtual absl::StatusOr<std::vector<StoredRecord>> Records(const std::string& task_digest) = 0;
  // Newest last. Errors: none of its own.
  virtual absl::StatusOr<std::vector<StoredRecord>> List(const RecordFilter& filter) = 0;
  // The best program known: the last verdict of the finals, unless a trial after it was faster. Only OK and uncensored
  // results count. Nullopt when there is none.
  virtual absl::StatusOr<std::optional<v1::TuningRecord>> Best(const std::string& task_digest) = 0;
  // All tasks, or those of a workload key.
  virtual absl::StatusOr<std::vector<TaskSummary>> Tasks(absl::string_view workload_key = "") = 0;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_DATABASE_DATABASE_H_
