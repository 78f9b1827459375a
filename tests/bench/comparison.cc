#include "tests/bench/comparison.h"

#include <omp.h>
#include <sched.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "codegen/operators/workload.h"
#include "common/status_macros.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/worker/thread_pool.h"
#include "tests/bench/interleave.h"
#include "tests/bench/report.h"

ABSL_FLAG(std::string, suite, "", "file with one operator (--op syntax) or workload name a line");
ABSL_FLAG(std::string, records, "bench.db", "record database; what it lacks is tuned first");
ABSL_FLAG(int, trials, 256, "trials for an operator that the database lacks");
ABSL_FLAG(int, threads, 1, "threads of every contestant");
ABSL_FLAG(int, rounds, 40, "interleaved samples of each contestant");
ABSL_FLAG(bool, json, false, "make the last line a JSON object");

namespace tunefleet::bench {
namespace {

// Idle threads spin for a while, on the cores of the next contestant's.
constexpr absl::Duration kThreadsFallAsleep = absl::Milliseconds(10);

void Print(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

// Of those that this process may use, the last: the first serve the system's interrupts. Errors: INVALID_ARGUMENT.
absl::StatusOr<std::vector<uint16_t>> ChooseCores(int threads) {
  std::vector<uint16_t> usable = device::UsableCores();
  if (threads < 1 || static_cast<size_t>(threads) > usable.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--threads: value ", threads, ", expected 1 to ", usable.size(), ", the cores that may be used"));
  }
  usable.erase(usable.begin(), usable.end() - threads);
  return usable;
}

absl::Status PinToAny(const std::vector<uint16_t>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const uint16_t core : cores) CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof(set), &set) == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("cannot pin to cores ", device::FormatCpuList(cores), ": ", std::strerror(errno)));
}

// Threads that a library makes inherit the set of the thread that made them, so all are made before this one is pinned.
absl::Status StartThreads(const std::vector<Opponent>& opponents, const std::vector<uint16_t>& cores) {
  for (const Opponent& opponent : opponents) opponent.run();
  std::atomic<bool> pinned = true;
#pragma omp parallel
  if (!device::PinThisThread(cores[static_cast<size_t>(omp_get_thread_num()) % cores.size()])) pinned = false;
  if (pinned) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("cannot pin threads to cores ", device::FormatCpuList(cores)));
}

absl::StatusOr<Row> Measure(const SuiteEntry& entry, const ComparisonOptions& options, const Contest& contest,
                            const std::vector<uint16_t>& cores, const tf_runtime* runtime) {
  TF_RETURN_IF_ERROR(PinToAny(cores));
  TF_ASSIGN_OR_RETURN(const auto kernel, TunedKernel(entry, options.tuning, runtime));
  TF_ASSIGN_OR_RETURN(const std::vector<Opponent> opponents, contest.make_opponents(entry, options.tuning));
  if (opponents.empty()) return absl::UnimplementedError(absl::StrCat(entry.name, ": no library has a kernel for it"));
  std::vector<std::function<void()>> contestants = {[&] { kernel->Run(runtime); }};
  for (const Opponent& opponent : opponents) contestants.push_back(opponent.run);
  TF_RETURN_IF_ERROR(StartThreads(opponents, cores));
  const absl::Duration gap = cores.size() > 1 ? kThreadsFallAsleep : absl::ZeroDuration();
  const std::vector<double> medians = InterleavedMedians(contestants, {.rounds = options.rounds, .gap = gap});
  Row row{.name = entry.name, .op = codegen::WorkloadKey(entry.workload), .ours_ns = medians[0]};
  for (size_t i = 0; i < opponents.size(); ++i) {
    row.opponents.push_back({opponents[i].label, opponents[i].implementation, medians[i + 1]});
  }
  return row;
}

absl::Status AtLeastOne(absl::string_view flag, int value) {
  if (value >= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(flag, ": value ", value, ", expected 1 or more"));
}

// All of it is known to be comparable before any of it is tuned. Errors: those of ReadSuite; INVALID_ARGUMENT.
absl::StatusOr<std::vector<SuiteEntry>> CheckedSuite(const std::string& file, const Contest& contest) {
  if (file.empty()) return absl::InvalidArgumentError("--suite=FILE is needed (try --help)");
  TF_ASSIGN_OR_RETURN(std::vector<SuiteEntry> suite, ReadSuite(file));
  if (suite.empty()) return absl::InvalidArgumentError(absl::StrCat(file, ": no operator, expected one a line"));
  for (const SuiteEntry& entry : suite) {
    const absl::Status accepted = contest.accepts(entry.workload);
    if (!accepted.ok())
      return absl::Status(accepted.code(), absl::StrCat(file, ": ", entry.name, ": ", accepted.message()));
  }
  return suite;
}

}  // namespace

ComparisonOptions ParseComparisonFlags(int argc, char** argv, const std::string& usage) {
  absl::SetProgramUsageMessage(usage);
  absl::ParseCommandLine(argc, argv);
  return {.suite = absl::GetFlag(FLAGS_suite),
          .tuning = {absl::GetFlag(FLAGS_records), absl::GetFlag(FLAGS_trials), absl::GetFlag(FLAGS_threads)},
          .rounds = absl::GetFlag(FLAGS_rounds),
          .json = absl::GetFlag(FLAGS_json)};
}

absl::Status Compare(const ComparisonOptions& options, const Contest& contest) {
  TF_RETURN_IF_ERROR(AtLeastOne("--rounds", options.rounds));
  TF_RETURN_IF_ERROR(AtLeastOne("--trials", options.tuning.trials));
  TF_ASSIGN_OR_RETURN(const std::vector<uint16_t> cores, ChooseCores(options.tuning.threads));
  TF_ASSIGN_OR_RETURN(const std::vector<SuiteEntry> suite, CheckedSuite(options.suite, contest));

  // Everything is tuned before this process pins itself and its threads begin to spin.
  for (const SuiteEntry& entry : suite) TF_RETURN_IF_ERROR(Tune(entry, options.tuning));
  omp_set_num_threads(options.tuning.threads);
  device::ThreadPool pool(static_cast<uint32_t>(options.tuning.threads), cores, [] {});

  Report report{
      .default_label = contest.default_label, .threads = options.tuning.threads, .rounds = options.rounds, .rows = {}};
  for (const SuiteEntry& entry : suite) {
    TF_ASSIGN_OR_RETURN(Row row, Measure(entry, options, contest, cores, pool.runtime()));
    Print(RowText(row));
    report.rows.push_back(std::move(row));
  }
  Print(SummaryText(report));
  if (options.json) Print(ToJson(report));
  return absl::OkStatus();
}

int ExitStatus(const std::string& program, const absl::Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s: %s\n", program.c_str(), std::string(status.message()).c_str());
  const bool bad_input = absl::IsInvalidArgument(status) || absl::IsNotFound(status);
  return bad_input || absl::IsFailedPrecondition(status) ? 2 : 1;
}

}  // namespace tunefleet::bench
