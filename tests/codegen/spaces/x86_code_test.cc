// What the machine code of the x86 spaces' kernels looks like: it keeps to the instructions of its device, and register
// tiles stay in registers where the last vector is partly past the end. Nothing is run.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "codegen/explain/instruction_mix.h"
#include "codegen/explain/natural_loops.h"
#include "codegen/operators/workload.h"
#include "codegen/spaces/schedule_space.h"
#include "tests/codegen/llvm/disassembler.h"
#include "tests/codegen/spaces/space_targets.h"
#include "tests/support/candidate.h"

namespace tunefleet::codegen {
namespace {

constexpr int kConfigs = 4;

std::vector<Instruction> CodeOf(const ScheduleSpace& space, const Values& values, const v1::Target& target) {
  return Disassemble(CompileCandidate(space, values, target).value().artifact, target);
}

std::vector<std::unique_ptr<ScheduleSpace>> SpacesOf(const std::string& op, const v1::Target& target) {
  return SpacesFor(ResolveLayouts(ParseOperator(op).value(), target).value(), target).value();
}

TEST(X86CodeTest, SpacesOfAnAvx2DeviceGiveNoAvx512Code) {
  v1::Target avx2 = Avx2Target(2), avx512 = Avx512Target(2);
  for (const char* feature : {"avx", "fma"}) {
    avx2.add_features(feature);
    avx512.add_features(feature);
  }
  std::mt19937_64 random(5);
  int wide = 0;
  for (const char* op :
       {"conv2d(h=9,w=13,ci=17,co=19,k=3,p=1)+bias+relu", "conv2d(h=9,w=8,ci=3,co=18,k=3,s=2,p=1)",
        "conv2d(h=9,w=13,ci=17,co=19,k=3,p=1,layout=NCHW)", "conv2d(h=5,w=7,ci=9,co=11,k=1,layout=NHWC)",
        "depthwise_conv2d(h=7,w=11,c=21,k=3,p=1)", "matmul(m=31,n=19,k=23,tb=1)+relu", "matmul(m=17,n=48,k=64,tb=1)",
        "matmul(m=19,n=2,k=77,ta=0)", "dense(m=5,n=33,k=40)+bias", "dense(m=5,n=33,k=40,dtype=int8)"}) {
    for (const std::unique_ptr<ScheduleSpace>& space : SpacesOf(op, avx2)) {
      for (int i = 0; i < kConfigs; ++i) {
        for (const Instruction& instruction : CodeOf(*space, RandomValues(*space, random), avx2)) {
          ASSERT_FALSE(NeedsAvx512(instruction)) << op << ", " << space->name() << ": " << instruction.text;
        }
      }
    }
    for (const std::unique_ptr<ScheduleSpace>& space : SpacesOf(op, avx512)) {
      for (const Instruction& instruction : CodeOf(*space, RandomValues(*space, random), avx512)) {
        wide += NeedsAvx512(instruction);
      }
    }
  }
  EXPECT_GT(wide, 1000) << "the check sees AVX-512 where there is some";
}

TEST(X86CodeTest, AKnobSaysWhetherStreamsAreFetchedAhead) {
  v1::Target target = WithCaches(Avx512Target(1), 4 << 10, 16 << 10);
  for (const char* feature : {"avx", "fma"}) target.add_features(feature);
  std::mt19937_64 random(7);
  int spaces = 0, with = 0, without = 0;
  for (const std::unique_ptr<ScheduleSpace>& space :
       SpacesOf("conv2d(h=9,w=8,ci=48,co=32,k=3,p=1,layout=NCHW16c)", target)) {
    const auto knob = std::find(space->knobs().begin(), space->knobs().end(), "prefetch");
    if (knob == space->knobs().end()) continue;
    ++spaces;
    for (int i = 0; i < kConfigs; ++i) {
      const Values values = RandomValues(*space, random);
      const auto code = CodeOf(*space, values, target);
      const bool ahead = values[knob - space->knobs().begin()] > 0;
      ++(ahead ? with : without);
      EXPECT_EQ(ahead, std::any_of(code.begin(), code.end(),
                                   [](const Instruction& instruction) {
                                     return instruction.kind == InstructionKind::kPrefetch;
                                   }))
          << space->name();
      for (const std::vector<Instruction>& loop : InnermostLoops(code)) {
        std::set<std::string> asked;
        for (const Instruction& instruction : loop) {
          if (instruction.kind != InstructionKind::kPrefetch) continue;
          EXPECT_TRUE(asked.insert(instruction.text).second) << space->name() << ": twice " << instruction.text;
        }
      }
    }
  }
  EXPECT_GT(spaces, 3);
  EXPECT_GT(with, 0);
  EXPECT_GT(without, 0);
}

// Of the loop with the most of them.
double ShareOfMultiplyAdds(const std::vector<Instruction>& code, bool* uses_stack) {
  int most = 0;
  double share = 0;
  for (const std::vector<Instruction>& loop : InnermostLoops(code)) {
    int multiplies = 0;
    bool stack = false;
    for (const Instruction& instruction : loop) {
      multiplies += absl::StrContains(instruction.text, "vfmadd");
      stack = stack || absl::StrContains(instruction.text, "%rsp");
    }
    if (multiplies <= most) continue;
    most = multiplies;
    share = multiplies / static_cast<double>(loop.size());
    *uses_stack = stack;
  }
  return share;
}

TEST(X86CodeTest, FoldedLoadsLeaveLittleButMultiplyAdds) {
  v1::Target target = Avx512Target(1);
  for (const char* feature : {"avx", "fma"}) target.add_features(feature);
  const auto spaces = SpacesOf("conv2d(h=14,w=14,ci=32,co=64,k=3,p=1,layout=NCHW16c)", target);
  const ScheduleSpace& space = *spaces.front();
  ASSERT_EQ(space.name(), "x86.conv2d.direct");
  const auto share = [&](int64_t fold) {
    const std::map<std::string, int64_t> wanted = {{"oc_tile", 2}, {"oh_tile", 1},          {"ow_tile", 14},
                                                   {"edge", 2},    {"unroll_channels", 16}, {"inner", 1},
                                                   {"fold", fold}};
    Values values;
    for (const std::string& knob : space.knobs()) {
      const auto found = wanted.find(knob);
      values.push_back(found == wanted.end() ? space.Domain(values).front() : found->second);
    }
    bool uses_stack = true;
    const double share = ShareOfMultiplyAdds(CodeOf(space, values, target), &uses_stack);
    EXPECT_FALSE(uses_stack);
    return share;
  };
  EXPECT_LT(share(0), 0.7);
  EXPECT_GT(share(1), 0.85);
}

TEST(X86CodeTest, DirectTilesStayInRegisters) {
  std::mt19937_64 random(8);
  for (const bool wide : {true, false}) {
    v1::Target target = wide ? Avx512Target(1) : Avx2Target(1);
    for (const char* feature : {"avx", "fma"}) target.add_features(feature);
    int loops = 0, spills = 0, multiply_adds = 0;
    double best_share = 0;
    for (const char* operation : {"conv2d(h=14,w=14,ci=32,co=128,k=3,p=1,layout=NCHW16c)",
                                  "conv2d(h=14,w=14,ci=32,co=128,k=1,layout=NCHW16c)"}) {
      const auto spaces = SpacesOf(operation, target);
      const ScheduleSpace& space = *spaces.front();
      ASSERT_EQ(space.name(), "x86.conv2d.direct");
      for (int i = 0; i < 60; ++i) {
        const InstructionMix mix = MixOf(HottestLoop(CodeOf(space, RandomValues(space, random), target)));
        loops += mix.multiply_adds > 0;
        spills += mix.spills;
        multiply_adds += mix.multiply_adds;
        if (mix.spills == 0) best_share = std::max(best_share, mix.MultiplyAddShare());
      }
    }
    std::printf("%d loops: %d multiply-adds, %d spills; at most %.0f%% multiply-adds without a spill\n", loops,
                multiply_adds, spills, 100 * best_share);
    EXPECT_EQ(loops, 120);
    EXPECT_LE(spills, multiply_adds / (wide ? 20 : 10)) << "branches where tiles cannot be cut, counters";
    EXPECT_GT(best_share, wide ? 0.85 : 0.6);
  }
}

// 17 columns are a vector and one lane of another.
TEST(X86CodeTest, TilesWithATailOfLanesStayInRegisters) {
  v1::Target target = Avx512Target(1);
  for (const char* feature : {"avx", "fma"}) target.add_features(feature);
  const auto spaces = SpacesOf("matmul(m=480,n=17,k=64)", target);
  std::mt19937_64 random(6);
  int tiles = 0, all_multiplies = 0, all_stores = 0;
  for (int i = 0; i < 20; ++i) {
    for (const std::vector<Instruction>& loop :
         InnermostLoops(CodeOf(*spaces.front(), RandomValues(*spaces.front(), random), target))) {
      int multiplies = 0, stores = 0;
      for (const Instruction& instruction : loop) {
        multiplies += absl::StrContains(instruction.text, "vfmadd");
        // AT&T syntax: what is stored comes first, the memory last.
        stores += absl::StrContains(instruction.text, "vmov") && absl::StrContains(instruction.text, "zmm") &&
                  absl::StrContains(instruction.text.substr(instruction.text.rfind(',') + 1), ")");
      }
      if (multiplies < 8) continue;
      ++tiles;
      all_multiplies += multiplies;
      all_stores += stores;
    }
  }
  EXPECT_GT(tiles, 10);
  // A spill here and there; were accumulators of the tail kept in memory, there would be a store for every other one.
  EXPECT_LE(4 * all_stores, all_multiplies);
  std::printf("%d tiles: %d stores, %d multiply-adds\n", tiles, all_stores, all_multiplies);
}

}  // namespace
}  // namespace tunefleet::codegen
