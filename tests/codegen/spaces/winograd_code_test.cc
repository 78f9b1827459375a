// Compiled Winograd and direct kernels against the reference, on many random tensors: the error stays inside the
// derived bound.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "codegen/operators/reference.h"
#include "codegen/operators/tolerance.h"
#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
#include "codegen/spaces/schedule_space.h"
#include "common/fill.h"
#include "gtest/gtest.h"
#include "tests/codegen/llvm/loaded_kernel.h"

namespace tunefleet::codegen {
namespace {

// A compiled kernel and memory for it.
class Kernel {
 public:
  explicit Kernel(const Artifact& artifact) : loaded_(artifact), workspace_(artifact.manifest.workspace_bytes(), true) {
    for (const v1::BufferSpec& spec : artifact.manifest.buffers()) {
      memory_.emplace_back(spec.size_bytes(), true);
      pointers_.push_back(memory_.back().data());
    }
  }

  // The largest error of an output, as a part of what is allowed.
  double Run(const v1::Workload& workload, const std::string& implementation, uint64_t seed) {
    const Reference reference = ComputeReference(workload, seed, InputValues::kUniform).value();
    for (const v1::BufferFill& fill : reference.fills) {
      const AlignedBytes& buffer = memory_[fill.buffer()];
      EXPECT_TRUE(common::FillBuffer(fill, {static_cast<std::byte*>(buffer.data()), buffer.size()}).ok());
    }
    const v1::OutputCheck check = ChecksFor(workload, reference, implementation).value()[0];
    const size_t elements = reference.outputs[0].size() / sizeof(float);
    auto* output = static_cast<float*>(pointers_[check.buffer()]);
    std::fill(output, output + elements, NAN);
    EXPECT_EQ(loaded_.prepare()(pointers_.data(), workspace_.data(), nullptr), 0);
    EXPECT_EQ(loaded_.run()(pointers_.data(), workspace_.data(), nullptr), 0);
    const auto* expected = reinterpret_cast<const float*>(reference.outputs[0].data());
    double worst = 0;
    for (size_t i = 0; i < elements; ++i) {
      const double error = std::abs(static_cast<double>(output[i]) - expected[i]);
      const double part = error / (check.absolute() + check.relative() * std::abs(expected[i]));
      worst = std::isnan(part) ? INFINITY : std::max(worst, part);
    }
    return worst;
  }

 private:
  LoadedKernel loaded_;
  AlignedBytes workspace_;
  std::vector<AlignedBytes> memory_;
  std::vector<void*> pointers_;
};

struct Built {
  std::unique_ptr<Kernel> kernel;
  std::string implementation;
  std::string text;
};

// Tensors per kernel; the environment may ask for more.
int RandomTensors() {
  const char* text = std::getenv("TUNEFLEET_RANDOM_TENSORS");
  return text == nullptr ? 100 : std::max(1, std::atoi(text));
}

// One random config of each space.
std::vector<Built> BuildEach(const v1::Workload& workload, const v1::Target& target, std::mt19937_64& random) {
  std::vector<Built> built;
  const auto spaces = SpacesFor(workload, target);
  EXPECT_TRUE(spaces.ok()) << spaces.status();
  LlvmCodeGenerator generator;
  for (const std::unique_ptr<ScheduleSpace>& space : *spaces) {
    const Values values = RandomValues(*space, random);
    const absl::StatusOr<v1::Schedule> schedule = space->ToSchedule(values);
    EXPECT_TRUE(schedule.ok()) << schedule.status();
    const absl::StatusOr<LoopNest> nest = Replay(space->Fresh(), *schedule);
    EXPECT_TRUE(nest.ok()) << nest.status();
    const absl::StatusOr<Artifact> artifact = generator.Generate(*nest, target);
    EXPECT_TRUE(artifact.ok()) << artifact.status();
    if (!artifact.ok()) continue;
    std::string text = WorkloadKey(workload) + " " + space->name();
    for (size_t i = 0; i < values.size(); ++i) absl::StrAppend(&text, " ", space->knobs()[i], "=", values[i]);
    built.push_back({std::make_unique<Kernel>(*artifact), schedule->implementation(), std::move(text)});
  }
  EXPECT_GE(built.size(), 4u);
  return built;
}

TEST(WinogradCodeTest, OddShapesAreInsideTheBound) {
  std::mt19937_64 random(1);
  const v1::Target target = HostTarget();
  for (const char* op : {"conv2d(h=7,w=5,ci=3,co=5,k=3,p=1,layout=NCHW8c)",
                         "conv2d(n=2,h=13,w=9,ci=17,co=19,k=3,p=0,layout=NCHW16c)+bias+relu",
                         "conv2d(h=3,w=11,ci=37,co=32,k=3,p=2,layout=NCHW32c)+relu",
                         "conv2d(h=9,w=9,ci=16,co=16,k=3,ph=1,pw=2,layout=NCHW4c)+bias",
                         "conv2d(n=2,h=10,w=13,ci=18,co=33,k=3,s=2,p=1,layout=NCHW16c)+bias+relu"}) {
    const v1::Workload workload = ResolveLayouts(ParseOperator(op).value(), target).value();
    for (const Built& built : BuildEach(workload, target, random)) {
      EXPECT_LE(built.kernel->Run(workload, built.implementation, 7), 1) << built.text;
    }
  }
}

TEST(WinogradCodeTest, ManyRandomTensorsAreInsideTheBound) {
  std::mt19937_64 random(2);
  const v1::Target target = HostTarget();
  const int tensors = RandomTensors();
  for (const char* op : {"conv2d(h=6,w=6,ci=16,co=16,k=3,p=1,layout=NCHW16c)+bias",
                         "conv2d(h=6,w=6,ci=160,co=16,k=3,p=1,layout=NCHW16c)",
                         "conv2d(h=9,w=9,ci=64,co=16,k=3,s=2,p=1,layout=NCHW16c)"}) {
    const v1::Workload workload = ParseOperator(op).value();
    for (const Built& built : BuildEach(workload, target, random)) {
      double worst = 0;
      for (int tensor = 0; tensor < tensors; ++tensor) {
        worst = std::max(worst,
                         built.kernel->Run(workload, built.implementation, 100 + 10 * static_cast<uint64_t>(tensor)));
      }
      EXPECT_LE(worst, 1) << built.text;
      EXPECT_GT(worst, 0) << built.text;
      std::cout << op << " " << built.implementation << ": at most " << worst << " of the bound, " << tensors
                << " random tensors\n";
    }
  }
}

}  // namespace
}  // namespace tunefleet::codegen
