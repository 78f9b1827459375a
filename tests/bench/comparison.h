// A benchmark program: tuned kernels against libraries, operator by operator, all contestants interleaved in one
// process; one table, one geomean, and on request one JSON object as the last line (report.h).
#ifndef TUNEFLEET_TESTS_BENCH_COMPARISON_H_
#define TUNEFLEET_TESTS_BENCH_COMPARISON_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/tuned_kernel.h"

namespace tunefleet::bench {

struct Opponent {
  std::string label;           // e.g. "winograd"
  std::string implementation;  // what the library says it runs
  std::function<void()> run;
};

// Who the opponents are.
struct Contest {
  std::string default_label;  // whose geomean is geomean_vs_default
  // Asked of every operator before any is tuned. Errors: INVALID_ARGUMENT (the opponents do not compute it).
  std::function<absl::Status(const v1::Workload& workload)> accepts;
  // The opponents of an operator, made for the threads that the process has been pinned to, and checked.
  std::function<absl::StatusOr<std::vector<Opponent>>(const SuiteEntry& entry, const TuneSettings& settings)>
      make_opponents;
};

struct ComparisonOptions {
  std::string suite;  // file; see ReadSuite
  TuneSettings tuning;
  int rounds = 40;
  bool json = false;
};

// Flags --suite, --records, --trials, --threads, --rounds, --json. `usage` says what is compared and gives examples.
ComparisonOptions ParseComparisonFlags(int argc, char** argv, const std::string& usage);

// Tunes what the database lacks, then measures and prints. Errors: INVALID_ARGUMENT, NOT_FOUND (flags, suite),
// FAILED_PRECONDITION (the process cannot be pinned); those of Tune, TunedKernel and the contest.
absl::Status Compare(const ComparisonOptions& options, const Contest& contest);

// The program's exit status, its error printed: 0 done, 1 failed, 2 bad input or environment.
int ExitStatus(const std::string& program, const absl::Status& status);

}  // namespace tunefleet::bench

#endif  // TUNEFLEET_TESTS_BENCH_COMPARISON_H_
