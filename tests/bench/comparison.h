// A benchmark program: tuned kernels against libraries, operator by operator, all contestants interleaved in one
// process; one table, one geomean, and on request one JSON object as the last line:
//
//   {"geomean_vs_best":R,"min_vs_best":R,"geomean_vs_default":R,"geomean_vs_LABEL":R,...,"threads":N,"rows":[
//     {"op":"matmul(...)","ours_ns":N,"opponents":[{"name":"LABEL","ns":N,"implementation":"..."},...]},...]}
//
// Ratios are the opponent's time over ours: above 1, ours is faster. A label's geomean is over the rows that have it.
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

// The opponents of an operator, made for the threads that the process has been pinned to.
using MakeOpponents =
    std::function<absl::StatusOr<std::vector<Opponent>>(const SuiteEntry& entry, const TuneSettings& settings)>;

struct ComparisonOptions {
  std::string suite;  // file; see ReadSuite
  TuneSettings tuning;
  int rounds = 40;
  bool json = false;
  std::string default_label;  // whose geomean is geomean_vs_default
};

// Flags --suite, --records, --trials, --threads, --rounds, --json. `usage` says what is compared and gives examples.
ComparisonOptions ParseComparisonFlags(int argc, char** argv, const std::string& usage);

// Tunes what the database lacks, then measures and prints. Errors: INVALID_ARGUMENT, NOT_FOUND (flags, suite); those of
// TunedKernel and `make_opponents`.
absl::Status Compare(const ComparisonOptions& options, const MakeOpponents& make_opponents);

// The program's exit status, its error printed: 0 done, 1 failed, 2 bad input.
int ExitStatus(const std::string& program, const absl::Status& status);

}  // namespace tunefleet::bench

#endif  // TUNEFLEET_TESTS_BENCH_COMPARISON_H_
