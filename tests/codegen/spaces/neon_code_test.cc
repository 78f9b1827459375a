// What the AArch64 spaces can reach, read off the machine code: an inner loop that is mostly multiply-adds, whose
// register tile stays in registers. Nothing is run: TUNEFLEET_NEON_DUMP names a folder for the kernels and the sizes of
// their workspace and buffers (tests/bench/emulated/count_instructions.sh).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/explain/disassembly.h"
#include "codegen/explain/instruction_mix.h"
#include "codegen/llvm/target_text.h"
#include "codegen/operators/workload.h"
#include "codegen/spaces/schedule_space.h"
#include "codegen/spaces/vector_unit.h"
#include "tests/support/candidate.h"

namespace tunefleet::codegen {
namespace {

constexpr int kRandomConfigs = 150;
constexpr int kNeighbours = 50;

struct NeonCase {
  std::string name;
  std::string op;
  double share;  // of multiply-adds in the hottest innermost loop, at least
  std::string cpu = "cortex-a53";
};

struct Rated {
  Values values;
  InstructionMix mix;
  Artifact artifact;
  // Spilled values and tiles of no reuse are worth nothing, however many multiply-adds there are.
  double Score() const { return mix.spills > 0 || mix.multiply_adds < 8 ? 0 : mix.MultiplyAddShare(); }
};

Rated Rate(const ScheduleSpace& space, const Values& values, const v1::Target& target) {
  Rated rated{.values = values};
  absl::StatusOr<Candidate> candidate = CompileCandidate(space, values, target);
  EXPECT_TRUE(candidate.ok()) << candidate.status();
  if (!candidate.ok()) return rated;
  rated.artifact = std::move(candidate->artifact);
  const absl::StatusOr<std::vector<Instruction>> instructions = Disassemble(rated.artifact.code, target.triple());
  EXPECT_TRUE(instructions.ok()) << instructions.status();
  if (instructions.ok()) rated.mix = MixOf(HottestLoop(*instructions));
  return rated;
}

class NeonCodeTest : public ::testing::TestWithParam<NeonCase> {};

TEST_P(NeonCodeTest, HasKernelsWhoseInnerLoopIsMostlyMultiplyAdds) {
  const v1::Target target = ParseTarget("aarch64-linux-gnu -mcpu=" + GetParam().cpu).value();
  const v1::Workload workload = ResolveLayouts(ParseOperator(GetParam().op).value(), target).value();
  const auto spaces = SpacesFor(workload, target);
  ASSERT_TRUE(spaces.ok()) << spaces.status();
  const ScheduleSpace& space = *spaces->front();
  EXPECT_EQ(space.name().rfind("arm64.", 0), 0u) << space.name();
  std::mt19937_64 random(3);
  Rated best;
  const auto consider = [&](const Values& values) {
    Rated rated = Rate(space, values, target);
    if (best.values.empty() || rated.Score() > best.Score()) best = std::move(rated);
  };
  // Drawn as a search draws them: one at random, one that promises most.
  for (int i = 0; i < kRandomConfigs; ++i) consider(DraftedValues(space, i % 2 == 0 ? 1 : 16, random));
  for (int i = 0; i < kNeighbours; ++i) consider(Neighbour(space, best.values, random));
  std::printf("%s: %d of %d instructions are multiply-adds (%.0f%%), %d loads, %d spills; %s\n",
              GetParam().name.c_str(), best.mix.multiply_adds, best.mix.total, 100 * best.mix.MultiplyAddShare(),
              best.mix.loads, best.mix.spills, ToConfig(space, best.values).ShortDebugString().c_str());
  EXPECT_GE(best.Score(), GetParam().share);
  if (const char* const folder = std::getenv("TUNEFLEET_NEON_DUMP"); folder != nullptr) {
    const std::string path = absl::StrCat(folder, "/", GetParam().name);
    std::ofstream(path + ".so", std::ios::binary) << best.artifact.code;
    std::ofstream buffers(path + ".buffers");
    buffers << best.artifact.manifest.workspace_bytes();
    for (const v1::BufferSpec& buffer : best.artifact.manifest.buffers()) buffers << " " << buffer.size_bytes();
    buffers << "\n";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Operators, NeonCodeTest,
    ::testing::Values(NeonCase{"conv2d", "conv2d(h=14,w=14,ci=64,co=64,k=3,p=1)", 0.75},
                      NeonCase{"depthwise", "depthwise_conv2d(h=28,w=28,c=64,k=3,p=1)", 0.65},
                      NeonCase{"dense", "dense(m=32,n=256,k=256)", 0.7},
                      NeonCase{"matmul", "matmul(m=96,n=256,k=256)", 0.7},
                      NeonCase{"int8_conv2d", "conv2d(h=14,w=14,ci=64,co=64,k=3,p=1,dtype=int8)", 0.7, "cortex-a76"},
                      NeonCase{"int8_dense", "dense(m=32,n=256,k=256,dtype=int8)", 0.8, "cortex-a76"},
                      NeonCase{"int8_matmul", "matmul(m=96,n=256,k=256,dtype=int8)", 0.8, "cortex-a76"}),
    [](const ::testing::TestParamInfo<NeonCase>& info) { return info.param.name; });

TEST(NeonVectorUnitTest, ThirtyTwoRegistersOfFourLanes) {
  const VectorUnit unit = VectorUnitOf(ParseTarget("aarch64-linux-gnu -mcpu=cortex-a53").value());
  EXPECT_EQ(unit.family, "arm64");
  EXPECT_EQ(unit.lanes, 4);
  EXPECT_EQ(unit.registers, 32);
  EXPECT_TRUE(unit.Fits(24, 7));
  EXPECT_FALSE(unit.Fits(28, 4)) << "a broadcast input needs a register of its own";
  v1::Target armv7;
  armv7.set_triple("armv7-linux-gnueabihf");
  EXPECT_EQ(VectorUnitOf(armv7).family, "arm");
  EXPECT_EQ(VectorUnitOf(armv7).registers, 16);
}

}  // namespace
}  // namespace tunefleet::codegen
