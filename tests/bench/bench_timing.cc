// bench_timing: how far the agent's timings can be trusted, and what they cost. Everything goes through the agent's own
// path (zygote, sandbox, worker, verification) with the kernels that it carries.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "common/child_process.h"
#include "common/clock.h"
#include "common/status_macros.h"
#include "device_server/builtin/builtin_kernels.h"
#include "device_server/builtin/repeatability.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/measure/statistics.h"
#include "device_server/measure/trial_runner.h"

ABSL_FLAG(std::string, figure, "all", "repeat, order, overhead or all");
ABSL_FLAG(int, repeats, 50, "repeat: how often each kernel is measured");
ABSL_FLAG(int, pairs, 500, "order: how many pairs");
ABSL_FLAG(absl::Duration, pair_time, absl::Seconds(1), "order: time for a pair");
ABSL_FLAG(double, difference, 0.02, "order: by how much the second kernel is slower");
ABSL_FLAG(int, trials, 300, "overhead: how many trials");
ABSL_FLAG(bool, busy, false, "a compiler runs on the cores that do not measure, all the while");
ABSL_FLAG(int, core, -1, "that measures; -1: the last");
ABSL_FLAG(uint64_t, seed, 1, "of every random order");
ABSL_FLAG(bool, json, false, "an object as the last line");

namespace tunefleet::device {
namespace {

constexpr char kUsage[] =
    R"(Measures the measuring: repeatability, order of near equals, overhead of a trial.

  bench_timing --json
  bench_timing --figure=repeat --busy
  bench_timing --figure=order --pairs=500 --pair_time=1s --difference=0.02
  bench_timing --repeats=3 --pairs=2 --pair_time=100ms --trials=10     a short look)";

// A compiler that runs again and again on the given cores until the object ends.
class BusyCompiler {
 public:
  absl::Status Start(const std::vector<int>& cores) {
    source_ = std::filesystem::temp_directory_path() / absl::StrCat("bench_timing_", getpid(), ".cc");
    std::ofstream(source_) << "#include <algorithm>\n#include <map>\n#include <regex>\n#include <string>\n"
                              "bool Find(const std::string& text) {\n"
                              "  std::map<std::string, std::regex> all{{\"a\", std::regex(\"a+b*\")}};\n"
                              "  return std::regex_search(text, all.at(\"a\"));\n}\n";
    common::ChildOptions child;
    child.arguments = {"/bin/sh", "-c",
                       absl::StrCat("while :; do c++ -std=c++20 -O2 -c -o /dev/null ", source_.string(), "; done")};
    child.cores = cores;
    child.die_with_thread = true;
    TF_ASSIGN_OR_RETURN(pid_, common::StartChild(child));
    return absl::OkStatus();
  }
  ~BusyCompiler() {
    if (pid_ > 0) common::KillChild(pid_);
    std::error_code ignored;
    if (!source_.empty()) std::filesystem::remove(source_, ignored);
  }

 private:
  std::filesystem::path source_;
  pid_t pid_ = -1;
};

std::string Percent(double share) { return absl::StrFormat("%.2f%%", 100 * share); }

// ---- the same binary again and again, among others

std::string FigureRepeat(TrialRunner* runner, absl::BitGenRef random) {
  MemoryBlobs blobs;
  const std::pair<const char*, BuiltinKernel> kernels[] = {
      {"chain-20us", {BuiltinKind::kChain, 20'000}},     {"chain-300us", {BuiltinKind::kChain, 300'000}},
      {"product-32", {BuiltinKind::kProduct, 32}},       {"product-64", {BuiltinKind::kProduct, 64}},
      {"stream-16KiB", {BuiltinKind::kStream, 1 << 12}}, {"stream-1MiB", {BuiltinKind::kStream, 1 << 18}},
      {"stream-16MiB", {BuiltinKind::kStream, 1 << 22}},
  };
  std::vector<v1::Trial> trials;
  for (const auto& [name, kernel] : kernels) trials.push_back(MakeBuiltinTrial(name, {kernel}, {}, &blobs));
  std::printf("%-14s %12s %8s %10s\n", "kernel", "median us", "CV", "flagged");
  std::vector<std::string> rows;
  double worst_cv = 0;
  size_t flagged = 0, measured = 0;
  for (const Repeatability& row : MeasureAgain(trials, blobs, absl::GetFlag(FLAGS_repeats), random, runner)) {
    if (!row.failure.empty()) std::printf("%s failed: %s\n", row.name.c_str(), row.failure.c_str());
    std::printf("%-14s %12.2f %8s %10s\n", row.name.c_str(), row.MedianNs() / 1000,
                Percent(row.VariationCoefficient()).c_str(), Percent(row.FlaggedShare()).c_str());
    for (const v1::TrialResult& result : row.flagged) {
      const v1::Sentinel& sentinel = result.sentinel();
      std::string reasons;
      for (const int reason : result.kernels(0).quality_reasons()) {
        absl::StrAppend(&reasons, " ", v1::QualityReason_Name(reason));
      }
      std::printf("    flagged:%s (sentinel %d and %d ns, baseline %d)\n", reasons.c_str(),
                  static_cast<int>(sentinel.before_ns()), static_cast<int>(sentinel.after_ns()),
                  static_cast<int>(sentinel.baseline_ns()));
    }
    worst_cv = std::max(worst_cv, row.VariationCoefficient());
    flagged += row.flagged.size();
    measured += row.measured();
    rows.push_back(absl::StrFormat(R"({"kernel":"%s","median_ns":%.1f,"cv":%.5f,"flagged":%.4f,"failed":%d})", row.name,
                                   row.MedianNs(), row.VariationCoefficient(), row.FlaggedShare(),
                                   row.failure.empty() ? 0 : 1));
  }
  const double share = measured == 0 ? 0 : static_cast<double>(flagged) / static_cast<double>(measured);
  std::printf("same binary measured again%s: largest CV %s, %s flagged\n", absl::GetFlag(FLAGS_busy) ? ", busy" : "",
              Percent(worst_cv).c_str(), Percent(share).c_str());
  return absl::StrFormat(R"("repeat":{"largest_cv":%.5f,"flagged":%.4f,"kernels":[%s]})", worst_cv, share,
                         absl::StrJoin(rows, ","));
}

// ---- the order of two kernels that differ by little

std::string FigureOrder(TrialRunner* runner, absl::BitGenRef random) {
  const int pairs = absl::GetFlag(FLAGS_pairs);
  v1::MeasureOptions options;
  options.set_max_samples(250);
  const int64_t half_ns = absl::ToInt64Nanoseconds(absl::GetFlag(FLAGS_pair_time)) / 2;
  options.mutable_run_budget()->set_seconds(half_ns / 1'000'000'000);
  options.mutable_run_budget()->set_nanos(static_cast<int32_t>(half_ns % 1'000'000'000));
  int wrong = 0, ambiguous = 0, failed = 0;
  std::vector<double> seconds, ratios;
  for (int i = 0; i < pairs; ++i) {
    // Another length each time, so that no lucky one is measured 500 times.
    const uint32_t fast = absl::Uniform<uint32_t>(random, 20'000, 400'000);
    const auto slow = static_cast<uint32_t>(std::lround(fast * (1 + absl::GetFlag(FLAGS_difference))));
    const bool fast_first = absl::Bernoulli(random, 0.5);
    MemoryBlobs blobs;
    const v1::Trial trial = MakeBuiltinTrial(
        "order", {{BuiltinKind::kChain, fast_first ? fast : slow}, {BuiltinKind::kChain, fast_first ? slow : fast}},
        options, &blobs);
    const absl::Time begin = common::MonotonicClock().Now();
    const v1::TrialResult result =
        runner->Run({.trial = trial, .blobs = blobs, .time_limit = absl::Minutes(1), .cancelled = nullptr});
    seconds.push_back(absl::ToDoubleSeconds(common::MonotonicClock().Now() - begin));
    if (result.outcome() != v1::OUTCOME_OK) {
      ++failed;
      continue;
    }
    const v1::Comparison& comparison = result.kernels(1).comparison();
    ratios.push_back(fast_first ? comparison.ratio() : 1 / comparison.ratio());
    const v1::Verdict truth = fast_first ? v1::VERDICT_SLOWER : v1::VERDICT_FASTER;
    if (comparison.verdict() == v1::VERDICT_AMBIGUOUS) {
      ++ambiguous;
    } else if (comparison.verdict() != truth) {
      ++wrong;
    }
  }
  const double count = std::max(1, pairs);
  const Interval time = IntervalOfMedian(seconds);
  const Interval ratio = ratios.empty() ? Interval{} : IntervalOfMedian(ratios);
  std::printf(
      "order of two kernels that differ by %s, %d pairs: wrong %s, ambiguous %s, failed %d; ratio found %.4f, "
      "%.2f s a pair (at most %.2f)\n",
      Percent(absl::GetFlag(FLAGS_difference)).c_str(), pairs, Percent(wrong / count).c_str(),
      Percent(ambiguous / count).c_str(), failed, ratio.centre, time.centre,
      *std::max_element(seconds.begin(), seconds.end()));
  return absl::StrFormat(
      R"("order":{"pairs":%d,"difference":%g,"wrong":%.4f,"ambiguous":%.4f,"failed":%d,"ratio":%.5f,"pair_s":%.3f})",
      pairs, absl::GetFlag(FLAGS_difference), wrong / count, ambiguous / count, failed, ratio.centre, time.centre);
}

// ---- what a trial costs besides running its kernel

std::string FigureOverhead(TrialRunner* runner) {
  MemoryBlobs blobs;
  // 1 MiB of input, as an operator of a small network has.
  const v1::Trial trial = MakeBuiltinTrial("overhead", {{BuiltinKind::kStream, 1 << 18}}, {}, &blobs);
  std::vector<double> overheads_ms, load_ms, verify_ms;
  for (int i = 0; i < absl::GetFlag(FLAGS_trials); ++i) {
    const absl::Time begin = common::MonotonicClock().Now();
    const v1::TrialResult result =
        runner->Run({.trial = trial, .blobs = blobs, .time_limit = absl::Minutes(1), .cancelled = nullptr});
    const std::string wire = result.SerializeAsString();  // the report
    const double wall_ms = absl::ToDoubleMilliseconds(common::MonotonicClock().Now() - begin);
    if (result.outcome() != v1::OUTCOME_OK || wire.empty()) continue;
    double kernel_ns = 2 * static_cast<double>(result.kernels(0).latency_ns());  // the verified and the warming run
    for (const v1::Sample& sample : result.kernels(0).samples()) kernel_ns += static_cast<double>(sample.total_ns());
    overheads_ms.push_back(wall_ms - kernel_ns / 1e6);
    load_ms.push_back(result.load_time().nanos() / 1e6);
    verify_ms.push_back(result.verify_time().nanos() / 1e6);
  }
  if (overheads_ms.empty()) return R"("overhead":null)";
  std::sort(overheads_ms.begin(), overheads_ms.end());
  const double p50 = overheads_ms[overheads_ms.size() / 2], p99 = overheads_ms[overheads_ms.size() * 99 / 100];
  std::printf(
      "overhead of a trial besides its kernel's runs, %d trials: p50 %.2f ms, p99 %.2f ms (load %.2f, verify %.2f)\n",
      static_cast<int>(overheads_ms.size()), p50, p99, IntervalOfMedian(load_ms).centre,
      IntervalOfMedian(verify_ms).centre);
  return absl::StrFormat(R"("overhead":{"trials":%d,"p50_ms":%.3f,"p99_ms":%.3f})",
                         static_cast<int>(overheads_ms.size()), p50, p99);
}

absl::Status Run() {
  const std::vector<uint16_t> usable = UsableCores();
  const uint16_t core =
      absl::GetFlag(FLAGS_core) < 0 ? usable.back() : static_cast<uint16_t>(absl::GetFlag(FLAGS_core));
  TF_ASSIGN_OR_RETURN(const std::string program, common::SiblingProgram("tunefleet-device"));
  TF_ASSIGN_OR_RETURN(const std::unique_ptr<TrialRunner> runner,
                      TrialRunner::Create({.program = program, .cores = {core}, .device_id = "bench"}));
  BusyCompiler compiler;
  if (absl::GetFlag(FLAGS_busy)) {
    std::vector<int> others;
    for (const uint16_t other : usable) {
      if (other != core) others.push_back(other);
    }
    if (others.empty()) return absl::FailedPreconditionError("--busy: there is but one core");
    TF_RETURN_IF_ERROR(compiler.Start(others));
  }
  StayOffCores({core});
  std::printf("core %d, workers run with %s priority\n", core, SchedulingName(runner->scheduling()));
  std::seed_seq seed{absl::GetFlag(FLAGS_seed)};
  absl::BitGen random(seed);
  const std::string figure = absl::GetFlag(FLAGS_figure);
  std::vector<std::string> parts;
  if (figure == "all" || figure == "repeat") parts.push_back(FigureRepeat(runner.get(), random));
  if (figure == "all" || figure == "order") parts.push_back(FigureOrder(runner.get(), random));
  if (figure == "all" || figure == "overhead") parts.push_back(FigureOverhead(runner.get()));
  if (parts.empty())
    return absl::InvalidArgumentError(absl::StrCat("--figure=", figure, ": expected repeat, order, overhead or all"));
  if (absl::GetFlag(FLAGS_json)) {
    std::printf("{\"busy\":%s,\"scheduling\":\"%s\",%s}\n", absl::GetFlag(FLAGS_busy) ? "true" : "false",
                SchedulingName(runner->scheduling()), absl::StrJoin(parts, ",").c_str());
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace tunefleet::device

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(tunefleet::device::kUsage);
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = tunefleet::device::Run();
  if (status.ok()) return 0;
  std::fprintf(stderr, "bench_timing: %s\n", std::string(status.message()).c_str());
  return 2;
}
