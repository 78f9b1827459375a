// Tuned convolutions against oneDNN, layer by layer: one table, one geomean, all contestants interleaved in one
// process.

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "device_server/worker/thread_pool.h"
#include "tests/bench/interleave.h"
#include "tests/bench/onednn_conv.h"
#include "tests/bench/tuned_kernel.h"

ABSL_FLAG(std::string, suite, "", "file with one operator (--op syntax) or workload name a line");
ABSL_FLAG(std::string, records, "bench.db", "record database; what it lacks is tuned first");
ABSL_FLAG(int, trials, 128, "trials for an operator that the database lacks");
ABSL_FLAG(int, threads, 1, "threads of every contestant");
ABSL_FLAG(int, rounds, 40, "interleaved samples of each contestant");
ABSL_FLAG(bool, json, false, "make the last line a JSON object");

namespace tunefleet::bench {
namespace {

struct Opponent {
  const char* label;
  std::unique_ptr<OneDnnConv> conv;
  double ns = 0;
};

struct Row {
  std::string op;
  double ours_ns = 0;
  std::vector<Opponent> opponents;

  double VersusBest() const {
    double best = 0;
    for (const Opponent& o : opponents) best = best == 0 ? o.ns : std::min(best, o.ns);
    return best / ours_ns;
  }
  double Versus(const std::string& label) const {
    for (const Opponent& o : opponents) {
      if (o.label == label) return o.ns / ours_ns;
    }
    return 0;
  }
};

// One thread: the last core. More: the last cores, one each; oneDNN's threads inherit the set.
std::vector<uint16_t> PinToLastCores(int threads) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  std::vector<uint16_t> chosen;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int core = std::max(0, cores - threads); core < cores; ++core) {
    CPU_SET(core, &set);
    chosen.push_back(static_cast<uint16_t>(core));
  }
  sched_setaffinity(0, sizeof(set), &set);
  return chosen;
}

absl::StatusOr<Row> Measure(const SuiteEntry& entry, const TuneSettings& settings, const tf_runtime* runtime) {
  TF_ASSIGN_OR_RETURN(const codegen::Conv2dShape shape, codegen::Conv2dShapeOf(entry.workload));
  TF_ASSIGN_OR_RETURN(const auto kernel, TunedKernel(entry, settings));
  const OneDnnLayout layout = shape.channel_block == 0 ? OneDnnLayout::kPlain : OneDnnLayout::kAny;
  Row row;
  row.op = entry.name;
  for (const auto& [label, algorithm] :
       {std::pair{"auto", OneDnnAlgorithm::kAuto}, std::pair{"direct", OneDnnAlgorithm::kDirect},
        std::pair{"winograd", OneDnnAlgorithm::kWinograd}}) {
    absl::StatusOr<std::unique_ptr<OneDnnConv>> conv = OneDnnConv::Create(shape, algorithm, layout);
    if (absl::IsUnimplemented(conv.status())) continue;
    TF_RETURN_IF_ERROR(conv.status());
    row.opponents.push_back({label, *std::move(conv)});
  }
  std::vector<std::function<void()>> contestants = {[&] { kernel->Run(runtime); }};
  for (Opponent& opponent : row.opponents) contestants.push_back([&opponent] { opponent.conv->Run(); });
  const std::vector<double> medians = InterleavedMedians(contestants, {.rounds = absl::GetFlag(FLAGS_rounds)});
  row.ours_ns = medians[0];
  for (size_t i = 0; i < row.opponents.size(); ++i) row.opponents[i].ns = medians[i + 1];
  return row;
}

void PrintRow(const Row& row) {
  std::string line = absl::StrFormat("%-28s ours %9.1f us", row.op, row.ours_ns / 1e3);
  for (const Opponent& o : row.opponents) {
    absl::StrAppendFormat(&line, "   %s %9.1f us (%s) %.2fx", o.label, o.ns / 1e3, o.conv->implementation(),
                          o.ns / row.ours_ns);
  }
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

std::string ToJson(const Row& row) {
  std::string json = absl::StrFormat("{\"op\":\"%s\",\"ours_ns\":%.0f,\"opponents\":[", row.op, row.ours_ns);
  absl::StrAppend(&json, absl::StrJoin(row.opponents, ",", [](std::string* out, const Opponent& o) {
    absl::StrAppendFormat(out, "{\"algorithm\":\"%s\",\"ns\":%.0f,\"implementation\":\"%s\"}", o.label, o.ns,
                          o.conv->implementation());
  }));
  return json + "]}";
}

absl::Status Run() {
  if (absl::GetFlag(FLAGS_suite).empty()) return absl::InvalidArgumentError("--suite=FILE is needed (try --help)");
  const TuneSettings settings{absl::GetFlag(FLAGS_records), absl::GetFlag(FLAGS_trials), absl::GetFlag(FLAGS_threads)};
  if (settings.threads < 1) return absl::InvalidArgumentError("--threads: expected 1 or more");
  TF_ASSIGN_OR_RETURN(const std::vector<SuiteEntry> suite, ReadSuite(absl::GetFlag(FLAGS_suite)));

  // Everything is tuned before this process pins itself and its threads begin to spin.
  for (const SuiteEntry& entry : suite) TF_RETURN_IF_ERROR(TunedKernel(entry, settings).status());
  const std::vector<uint16_t> cores = PinToLastCores(settings.threads);
  omp_set_num_threads(settings.threads);
  device::ThreadPool pool(static_cast<uint32_t>(settings.threads), cores, [] {});

  std::vector<Row> rows;
  std::vector<double> versus_best, versus_auto, versus_direct;
  for (const SuiteEntry& entry : suite) {
    TF_ASSIGN_OR_RETURN(Row row, Measure(entry, settings, pool.runtime()));
    PrintRow(row);
    versus_best.push_back(row.VersusBest());
    versus_auto.push_back(row.Versus("auto"));
    versus_direct.push_back(row.Versus("direct"));
    rows.push_back(std::move(row));
  }
  const double minimum = versus_best.empty() ? 0 : *std::min_element(versus_best.begin(), versus_best.end());
  std::printf(
      "geomean: %.3fx of oneDNN direct, %.3fx of its default, %.3fx of its best; least %.3fx of its best; %d "
      "thread(s)\n",
      GeometricMean(versus_direct), GeometricMean(versus_auto), GeometricMean(versus_best), minimum, settings.threads);
  if (absl::GetFlag(FLAGS_json)) {
    std::printf(
        "{\"geomean_vs_best\":%.4f,\"min_vs_best\":%.4f,\"geomean_vs_default\":%.4f,\"geomean_vs_direct\":%.4f,"
        "\"threads\":%d,\"rows\":[%s]}\n",
        GeometricMean(versus_best), minimum, GeometricMean(versus_auto), GeometricMean(versus_direct), settings.threads,
        absl::StrJoin(rows, ",", [](std::string* out, const Row& row) { out->append(ToJson(row)); }).c_str());
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace tunefleet::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "tuned convolutions against oneDNN (auto, direct, Winograd), interleaved in one process\n"
      "examples:\n"
      "  tests/bench/bench_conv --suite=tests/bench/suites/resnet18.txt --records=bench.db\n"
      "  tests/bench/bench_conv --suite=my_ops.txt --trials=256 --threads=2 --json");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = tunefleet::bench::Run();
  if (status.ok()) return 0;
  std::fprintf(stderr, "bench_conv: %s\n", std::string(status.message()).c_str());
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? 2 : 1;
}
