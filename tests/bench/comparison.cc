#include "tests/bench/comparison.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "device_server/worker/thread_pool.h"
#include "tests/bench/interleave.h"

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

struct Timed {
  std::string label;
  std::string implementation;
  double ns = 0;
};

struct Row {
  std::string op;
  double ours_ns = 0;
  std::vector<Timed> opponents;

  double VersusBest() const {
    const auto faster = [](const Timed& a, const Timed& b) { return a.ns < b.ns; };
    return std::min_element(opponents.begin(), opponents.end(), faster)->ns / ours_ns;
  }
  std::optional<double> Versus(const std::string& label) const {
    for (const Timed& opponent : opponents) {
      if (opponent.label == label) return opponent.ns / ours_ns;
    }
    return std::nullopt;
  }
};

std::vector<uint16_t> LastCores(int threads) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  std::vector<uint16_t> chosen;
  for (int core = std::max(0, cores - threads); core < cores; ++core) chosen.push_back(static_cast<uint16_t>(core));
  return chosen;
}

void PinToAny(const std::vector<uint16_t>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const uint16_t core : cores) CPU_SET(core, &set);
  sched_setaffinity(0, sizeof(set), &set);
}

// Threads that a library makes inherit the set of the thread that made them, so all are made before this one is pinned.
void StartThreads(const std::vector<Opponent>& opponents, const std::vector<uint16_t>& cores) {
  for (const Opponent& opponent : opponents) opponent.run();
#pragma omp parallel
  device::PinThisThread(cores[static_cast<size_t>(omp_get_thread_num()) % cores.size()]);
}

absl::StatusOr<Row> Measure(const SuiteEntry& entry, const ComparisonOptions& options,
                            const MakeOpponents& make_opponents, const std::vector<uint16_t>& cores,
                            const tf_runtime* runtime) {
  PinToAny(cores);
  TF_ASSIGN_OR_RETURN(const auto kernel, TunedKernel(entry, options.tuning));
  TF_ASSIGN_OR_RETURN(const std::vector<Opponent> opponents, make_opponents(entry, options.tuning));
  if (opponents.empty()) return absl::UnimplementedError(absl::StrCat(entry.name, ": no library has a kernel for it"));
  std::vector<std::function<void()>> contestants = {[&] { kernel->Run(runtime); }};
  for (const Opponent& opponent : opponents) contestants.push_back(opponent.run);
  StartThreads(opponents, cores);
  const absl::Duration gap = cores.size() > 1 ? kThreadsFallAsleep : absl::ZeroDuration();
  const std::vector<double> medians = InterleavedMedians(contestants, {.rounds = options.rounds, .gap = gap});
  Row row{.op = entry.name, .ours_ns = medians[0]};
  for (size_t i = 0; i < opponents.size(); ++i) {
    row.opponents.push_back({opponents[i].label, opponents[i].implementation, medians[i + 1]});
  }
  return row;
}

void PrintRow(const Row& row) {
  std::string line = absl::StrFormat("%-28s ours %9.1f us", row.op, row.ours_ns / 1e3);
  for (const Timed& o : row.opponents) {
    absl::StrAppendFormat(&line, "   %s %9.1f us (%s) %.2fx", o.label, o.ns / 1e3, o.implementation,
                          o.ns / row.ours_ns);
  }
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

std::string ToJson(const Row& row) {
  std::string json = absl::StrFormat("{\"op\":\"%s\",\"ours_ns\":%.0f,\"opponents\":[", row.op, row.ours_ns);
  absl::StrAppend(&json, absl::StrJoin(row.opponents, ",", [](std::string* out, const Timed& o) {
    absl::StrAppendFormat(out, "{\"name\":\"%s\",\"ns\":%.0f,\"implementation\":\"%s\"}", o.label, o.ns,
                          o.implementation);
  }));
  return json + "]}";
}

// In the order in which they first appear.
std::vector<std::string> Labels(const std::vector<Row>& rows) {
  std::vector<std::string> labels;
  for (const Row& row : rows) {
    for (const Timed& o : row.opponents) {
      if (std::find(labels.begin(), labels.end(), o.label) == labels.end()) labels.push_back(o.label);
    }
  }
  return labels;
}

double GeomeanVersus(const std::vector<Row>& rows, const std::string& label) {
  std::vector<double> ratios;
  for (const Row& row : rows) {
    if (const std::optional<double> ratio = row.Versus(label)) ratios.push_back(*ratio);
  }
  return GeometricMean(ratios);
}

void PrintSummary(const ComparisonOptions& options, const std::vector<Row>& rows) {
  std::vector<double> versus_best;
  for (const Row& row : rows) versus_best.push_back(row.VersusBest());
  const double geomean = GeometricMean(versus_best);
  const double minimum = versus_best.empty() ? 0 : *std::min_element(versus_best.begin(), versus_best.end());
  const std::vector<std::string> labels = Labels(rows);
  std::printf("geomean: %.3fx of the best; least %.3fx of the best; %s; %d thread(s)\n", geomean, minimum,
              absl::StrJoin(labels, ", ",
                            [&](std::string* out, const std::string& label) {
                              absl::StrAppendFormat(out, "%.3fx of %s", GeomeanVersus(rows, label), label);
                            })
                  .c_str(),
              options.tuning.threads);
  if (!options.json) return;
  std::string json = absl::StrFormat("{\"geomean_vs_best\":%.4f,\"min_vs_best\":%.4f,\"geomean_vs_default\":%.4f",
                                     geomean, minimum, GeomeanVersus(rows, options.default_label));
  for (const std::string& label : labels) {
    absl::StrAppendFormat(&json, ",\"geomean_vs_%s\":%.4f", label, GeomeanVersus(rows, label));
  }
  absl::StrAppendFormat(&json, ",\"threads\":%d,\"rows\":[", options.tuning.threads);
  absl::StrAppend(&json, absl::StrJoin(rows, ",", [](std::string* out, const Row& row) { out->append(ToJson(row)); }));
  std::printf("%s]}\n", json.c_str());
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

absl::Status Compare(const ComparisonOptions& options, const MakeOpponents& make_opponents) {
  if (options.suite.empty()) return absl::InvalidArgumentError("--suite=FILE is needed (try --help)");
  if (options.tuning.threads < 1) return absl::InvalidArgumentError("--threads: expected 1 or more");
  TF_ASSIGN_OR_RETURN(const std::vector<SuiteEntry> suite, ReadSuite(options.suite));

  // Everything is tuned before this process pins itself and its threads begin to spin.
  for (const SuiteEntry& entry : suite) TF_RETURN_IF_ERROR(TunedKernel(entry, options.tuning).status());
  const std::vector<uint16_t> cores = LastCores(options.tuning.threads);
  omp_set_num_threads(options.tuning.threads);
  device::ThreadPool pool(static_cast<uint32_t>(options.tuning.threads), cores, [] {});

  std::vector<Row> rows;
  for (const SuiteEntry& entry : suite) {
    TF_ASSIGN_OR_RETURN(Row row, Measure(entry, options, make_opponents, cores, pool.runtime()));
    PrintRow(row);
    rows.push_back(std::move(row));
  }
  PrintSummary(options, rows);
  return absl::OkStatus();
}

int ExitStatus(const std::string& program, const absl::Status& status) {
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s: %s\n", program.c_str(), std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? 2 : 1;
}

}  // namespace tunefleet::bench
