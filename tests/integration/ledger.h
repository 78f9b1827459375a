// The books of both sides, read from their files, and whether they agree.
#ifndef TUNEFLEET_TESTS_INTEGRATION_LEDGER_H_
#define TUNEFLEET_TESTS_INTEGRATION_LEDGER_H_

#include <set>
#include <string>

namespace tunefleet::testing {

// What the tracker's database says.
struct TrackerBooks {
  std::set<std::string> accepted;  // ids of all trials that it ever took
  int unfinished = 0;              // of them, still queued or leased
  int results = 0;                 // that it ever numbered, over all jobs
  int acknowledged = 0;            // of them
};
TrackerBooks ReadTracker(const std::string& state_folder);

// What the record database says.
struct RecordBooks {
  std::set<std::string> recorded;  // trial ids, all stages
  int rows = 0;                    // records
  int search = 0;                  // of them, of the search
  int repeated_schedules = 0;      // search records of a schedule that an earlier one has
  int pending = 0;                 // trials without a record
};
RecordBooks ReadRecords(const std::string& path);

// Design, Ownership. Lost: accepted trials without a record. Double: records beyond one per trial, configurations
// measured again, results beyond one per finished trial.
int Lost(const TrackerBooks& tracker, const RecordBooks& records);
int Double(const TrackerBooks& tracker, const RecordBooks& records);

}  // namespace tunefleet::testing

#endif  // TUNEFLEET_TESTS_INTEGRATION_LEDGER_H_
