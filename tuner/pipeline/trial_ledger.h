// The order of writing that loses nothing and doubles nothing: a trial is pending in the database before it is
// submitted, and its record is in the database before its result is acknowledged.
//
// Thread-safe, but Take is called by one thread at a time. No database or runner call happens under its lock.
#ifndef TUNEFLEET_TUNER_PIPELINE_TRIAL_LEDGER_H_
#define TUNEFLEET_TUNER_PIPELINE_TRIAL_LEDGER_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/mutex.h"
#include "tuner/database/database.h"
#include "tuner/pipeline/candidate.h"
#include "tuner/pipeline/progress_meter.h"
#include "tuner/pipeline/runner.h"
#include "tuner/pipeline/tuning_task.h"

namespace tunefleet::tuner {

// What goes into every record.
struct RecordStamp {
  std::string strategy;
  uint64_t seed = 0;
};

class TrialLedger {
 public:
  // All of them must outlive the ledger.
  TrialLedger(const TuningTask* task, Job job, RecordStamp stamp, Runner* runner, Database* database,
              ProgressMeter* meter);

  // A trial of an earlier run: its result may come from now on. `kernels` are built or not yet.
  void Expect(uint64_t number, TrialStage stage, const std::vector<BuiltCandidate>& kernels);

  // Writes the trial down and hands it to the runner. `kernels` are built. Errors: those of the database and the
  // runner; a trial that the runner calls malformed is recorded as refused and returned.
  absl::StatusOr<std::optional<StoredRecord>> Submit(TrialStage stage, const std::vector<BuiltCandidate>& kernels,
                                                     const v1::MeasureOptions& options);
  // The same for an expected trial.
  absl::StatusOr<std::optional<StoredRecord>> SubmitAgain(uint64_t number, const std::vector<BuiltCandidate>& kernels,
                                                          const v1::MeasureOptions& options);

  // Records a candidate that has no artifact.
  absl::StatusOr<StoredRecord> RecordUnbuilt(const BuiltCandidate& built);
  // Ends an expected trial whose artifact cannot be made again.
  absl::StatusOr<std::optional<StoredRecord>> GiveUp(uint64_t number, v1::Outcome outcome, const std::string& detail);

  // Records the result, then acknowledges it. Nullopt when the trial has a record already (a repeated delivery).
  absl::StatusOr<std::optional<StoredRecord>> Take(const FinishedTrial& finished);

  // Trials submitted or expected that have no result yet.
  int InFlight();
  // Waits until there are fewer than `window` of them; false when it was woken instead.
  bool WaitForRoom(int window);
  // Ends all waiting, now and later.
  void Wake();

 private:
  struct Entry {
    TrialStage stage = TrialStage::kSearch;
    std::vector<BuiltCandidate> kernels;  // without their code
  };

  uint64_t NextNumber();
  absl::StatusOr<std::optional<StoredRecord>> Hand(uint64_t number, TrialStage stage,
                                                   const std::vector<BuiltCandidate>& kernels,
                                                   const v1::MeasureOptions& options);
  v1::TuningRecord MakeRecord(uint64_t number, const BuiltCandidate& built, v1::TrialResult result) const;
  absl::StatusOr<std::optional<StoredRecord>> Append(uint64_t number, TrialStage stage, const BuiltCandidate& built,
                                                     v1::TrialResult result, uint64_t cursor);
  std::optional<Entry> Find(uint64_t number);
  void Remove(uint64_t number);

  const TuningTask* const task_;
  const Job job_;
  const RecordStamp stamp_;
  Runner* const runner_;
  Database* const database_;
  ProgressMeter* const meter_;
  common::Mutex mutex_;
  common::CondVar changed_;
  uint64_t next_number_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, Entry> in_flight_ ABSL_GUARDED_BY(mutex_);
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_TRIAL_LEDGER_H_
