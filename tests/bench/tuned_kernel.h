// From a line of a benchmark's suite to a tuned, verified kernel in this process.
#ifndef TUNEFLEET_TESTS_BENCH_TUNED_KERNEL_H_
#define TUNEFLEET_TESTS_BENCH_TUNED_KERNEL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/workload.pb.h"
#include "tests/support/loaded_kernel.h"

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

// Tunes the entry with the `tunefleet` program when the database lacks it, then builds the best program known, prepares
// it and holds its output against the reference. Errors: INTERNAL (tuning failed), DATA_LOSS (wrong output).
absl::StatusOr<std::unique_ptr<testing::LoadedKernel>> TunedKernel(const SuiteEntry& entry,
                                                                   const TuneSettings& settings);

}  // namespace tunefleet::bench

#endif  // TUNEFLEET_TESTS_BENCH_TUNED_KERNEL_H_
