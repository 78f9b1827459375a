// Builds, checks and times configs of a workload's spaces in this process; a development tool, not a test.
//
//   space_explorer WORKLOAD [--space=NAME] [--configs=N] [--seed=S] [--values=a,b,c] [--climb=N] [--threads=N]
//   [--top=N] [--print] [--o3] [--dump=FILE]
//
// Times N random configs, or the one with the given knob values, then climbs from the best by single knobs. Each line:
// GFLOP/s, build time, knobs. --dump leaves the last config's shared object for disassembling.
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "codegen/ir/printer.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "codegen/operators/reference.h"
#include "codegen/operators/tolerance.h"
#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
#include "codegen/spaces/schedule_space.h"
#include "common/fill.h"
#include "tests/codegen/llvm/loaded_kernel.h"

namespace tunefleet::codegen {
namespace {

// Of this thread's time on a core: kernels run on it alone, and other programs do not count.
double Seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

struct Options {
  std::string workload;
  int configs = 50;
  int climb = 0;
  int seed = 1;
  int threads = 1;
  int top = 5;
  std::string values;
  std::string space;
  bool print = false;
  bool o3 = false;
  std::string dump;
};

struct Timed {
  double gflops = 0;
  double build_ms = 0;
  std::string problem;
};

class Explorer {
 public:
  Explorer(const v1::Workload& workload, const v1::Target& target, bool o3, std::string dump)
      : workload_(workload),
        target_(target),
        generator_(o3 ? PassPipeline::kO3 : PassPipeline::kLight),
        reference_(ComputeReference(workload, 1).value()),
        dump_(std::move(dump)) {}

  // Compiles, checks and times one schedule; the best of some hundred milliseconds.
  Timed Try(const LoopNest& nest, const std::string& implementation) {
    Timed timed;
    const double start = Seconds();
    const absl::StatusOr<Artifact> artifact = generator_.Generate(nest, target_);
    timed.build_ms = (Seconds() - start) * 1e3;
    if (!artifact.ok()) {
      timed.problem = artifact.status().ToString();
      return timed;
    }
    if (!dump_.empty()) std::ofstream(dump_, std::ios::binary) << artifact->code;
    const LoadedKernel kernel(*artifact);
    std::vector<AlignedBytes> buffers;
    std::vector<void*> pointers;
    for (const v1::BufferSpec& spec : artifact->manifest.buffers()) {
      buffers.emplace_back(spec.size_bytes(), false);
      pointers.push_back(buffers.back().data());
    }
    for (const v1::BufferFill& fill : reference_.fills) {
      const AlignedBytes& buffer = buffers[fill.buffer()];
      if (!common::FillBuffer(fill, {static_cast<std::byte*>(buffer.data()), buffer.size()}).ok()) std::abort();
    }
    const AlignedBytes workspace(artifact->manifest.workspace_bytes() + 64, false);
    if (kernel.prepare() != nullptr) kernel.prepare()(pointers.data(), workspace.data(), nullptr);
    const v1::OutputCheck check = ChecksFor(workload_, reference_, implementation).value()[0];
    float* output = static_cast<float*>(pointers[check.buffer()]);
    const size_t elements = reference_.outputs[0].size() / sizeof(float);
    std::fill(output, output + elements, NAN);
    double best = 1e9;
    const double until = Seconds() + 0.08;
    for (int i = 0; i < 5 || (i < 400 && Seconds() < until); ++i) {
      const double begin = Seconds();
      kernel.run()(pointers.data(), workspace.data(), nullptr);
      best = std::min(best, Seconds() - begin);
    }
    const float* expected = reinterpret_cast<const float*>(reference_.outputs[0].data());
    for (size_t i = 0; i < elements; ++i) {
      if (!(std::abs(output[i] - expected[i]) <= check.absolute() + check.relative() * std::abs(expected[i]))) {
        timed.problem = absl::StrCat("WRONG ANSWER at ", i, ": ", output[i], " expected ", expected[i]);
        return timed;
      }
    }
    timed.gflops = FlopCount(workload_) / best * 1e-9;
    return timed;
  }

 private:
  const v1::Workload workload_;
  const v1::Target target_;
  LlvmCodeGenerator generator_;
  const Reference reference_;
  const std::string dump_;
};

std::string Describe(const ScheduleSpace& space, const Values& values) {
  std::string text;
  for (size_t i = 0; i < values.size(); ++i) absl::StrAppend(&text, " ", space.knobs()[i], "=", values[i]);
  return absl::StrCat(text, "   --values=", absl::StrJoin(values, ","));
}

void Explore(const Options& options) {
  v1::Target target = HostTarget();
  target.set_threads(options.threads);
  absl::StatusOr<v1::Workload> workload;
  if (const auto named = FindWorkloads(options.workload); named.ok()) {
    workload = ResolveLayouts(named->front().workload, target);
  } else if (workload = ParseOperator(options.workload); workload.ok()) {
    workload = ResolveLayouts(*workload, target);
  }
  if (!workload.ok()) {
    std::fprintf(stderr, "%s\n", workload.status().ToString().c_str());
    return;
  }
  const auto spaces = SpacesFor(*workload, target);
  for (const std::unique_ptr<ScheduleSpace>& space : *spaces) {
    if (!options.space.empty() && space->name() != options.space) continue;
    Explorer explorer(*workload, target, options.o3, options.dump);
    std::printf("%s: %s, %.3g configs\n", WorkloadKey(*workload).c_str(), space->name().c_str(), SpaceSize(*space));
    std::map<Values, Timed> tried;
    const auto attempt = [&](const Values& values) {
      if (tried.contains(values)) return tried[values].gflops;
      const absl::StatusOr<v1::Schedule> schedule = space->ToSchedule(values);
      const double start = Seconds();
      const absl::StatusOr<LoopNest> nest = schedule.ok() ? Replay(space->Fresh(), *schedule) : schedule.status();
      const double replay_ms = (Seconds() - start) * 1e3;
      Timed timed;
      if (!nest.ok()) {
        timed.problem = nest.status().ToString();
      } else {
        if (options.print) {
          for (const v1::PrimitiveCall& call : schedule->calls()) std::printf("  %s\n", Print(call).c_str());
          std::printf("%s\n", Print(*nest).c_str());
        }
        timed = explorer.Try(*nest, schedule->implementation());
      }
      if (!timed.problem.empty()) {
        std::printf("%s\n    %s\n", timed.problem.c_str(), Describe(*space, values).c_str());
      } else if (options.print || !options.values.empty()) {
        std::printf("replayed in %.2f ms, built in %.1f ms: %.1f GFLOP/s\n", replay_ms, timed.build_ms, timed.gflops);
      }
      tried[values] = timed;
      return timed.gflops;
    };
    std::mt19937_64 random(options.seed);
    Values best;
    double best_gflops = -1;
    const auto consider = [&](const Values& values) {
      const double gflops = attempt(values);
      if (gflops > best_gflops) {
        best_gflops = gflops;
        best = values;
      }
    };
    if (!options.values.empty()) {
      Values values;
      for (const absl::string_view text : absl::StrSplit(options.values, ',')) {
        int64_t value = 0;
        if (absl::SimpleAtoi(text, &value)) values.push_back(value);
      }
      consider(values);
    } else {
      for (int i = 0; i < options.configs; ++i) consider(RandomValues(*space, random));
    }
    for (int i = 0; i < options.climb; ++i) consider(Neighbour(*space, best, random));
    std::vector<std::pair<double, Values>> order;
    double build_ms = 0;
    for (const auto& [values, timed] : tried) {
      order.emplace_back(-timed.gflops, values);
      build_ms += timed.build_ms;
    }
    std::sort(order.begin(), order.end());
    for (int i = 0; i < std::min<int>(options.top, order.size()); ++i) {
      std::printf("%8.1f GFLOP/s  %6.1f ms %s\n", -order[i].first, tried[order[i].second].build_ms,
                  Describe(*space, order[i].second).c_str());
    }
    std::printf("median %.1f GFLOP/s, mean build %.1f ms\n", -order[order.size() / 2].first, build_ms / tried.size());
  }
}

}  // namespace
}  // namespace tunefleet::codegen

int main(int argc, char** argv) {
  tunefleet::codegen::Options options;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(argument, absl::MaxSplits('=', 1));
    int number = 0;
    const bool is_number = absl::SimpleAtoi(parts.second, &number);
    if (parts.first == "--configs" && is_number) {
      options.configs = number;
    } else if (parts.first == "--climb" && is_number) {
      options.climb = number;
    } else if (parts.first == "--seed" && is_number) {
      options.seed = number;
    } else if (parts.first == "--threads" && is_number) {
      options.threads = number;
    } else if (parts.first == "--top" && is_number) {
      options.top = number;
    } else if (parts.first == "--values") {
      options.values = std::string(parts.second);
    } else if (parts.first == "--dump") {
      options.dump = std::string(parts.second);
    } else if (parts.first == "--space") {
      options.space = std::string(parts.second);
    } else if (argument == "--print") {
      options.print = true;
    } else if (argument == "--o3") {
      options.o3 = true;
    } else if (!argument.empty() && argument[0] != '-') {
      options.workload = std::string(argument);
    } else {
      std::fprintf(stderr, "unknown option %s\n", argv[i]);
      return 2;
    }
  }
  tunefleet::codegen::Explore(options);
  return 0;
}
