// From a line of a benchmark's suite to a tuned, verified kernel in this process.
#ifndef TUNEFLEET_TESTS_BENCH_TUNED_KERNEL_H_
#define TUNEFLEET_TESTS_BENCH_TUNED_KERNEL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/kernel_abi.h"
#include "proto/record.pb.h"
#include "proto/workload.pb.h"
#include "tests/support/loaded_kernel.h"
#include "tuner/database/database.h"

namespace tunefleet::bench {

struct SuiteEntry {
  std::string name;  // as it stands in the file
  v1::Workload workload;
};

// One operator (--op syntax) or workload name a line; '#' begins a comment. Errors: NOT_FOUND (no such file), and those
// of the parser with the line's number.
absl::StatusOr<std::vector<SuiteEntry>> ReadSuite(const std::string& path);

struct TuneSettings {
  std::string records;  // database file
  int trials = 128;
  int threads = 1;
};

// The best record of the workload that was measured on machines like `target`, of whatever class, with as many threads;
// nullopt when fewer than `trials` were made there.
absl::StatusOr<std::optional<v1::TuningRecord>> BestRecord(tuner::Database& database, const v1::Workload& workload,
                                                           const v1::Target& target, int64_t trials);

// Tunes the entry with the `tunefleet` program, for this machine, when the database has fewer trials of it than asked
// for. Errors: INTERNAL (tuning failed).
absl::Status Tune(const SuiteEntry& entry, const TuneSettings& settings);

// Builds the best program that the database has for this machine, however many trials there were (a small space holds
// few), prepares it and holds its outputs against the reference. `runtime` may be null: one thread. Errors: NOT_FOUND
// (no record), INTERNAL (it cannot be built), DATA_LOSS (wrong output).
absl::StatusOr<std::unique_ptr<testing::LoadedKernel>> TunedKernel(const SuiteEntry& entry,
                                                                   const TuneSettings& settings,
                                                                   const tf_runtime* runtime);

}  // namespace tunefleet::bench

#endif  // TUNEFLEET_TESTS_BENCH_TUNED_KERNEL_H_
