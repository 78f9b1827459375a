// Explanations held against programs whose data movement and instructions are known by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/explain/disassembly.h"
#include "codegen/explain/instruction_mix.h"
#include "codegen/explain/natural_loops.h"
#include "codegen/explain/roofline.h"
#include "codegen/explain/roofline_svg.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "codegen/operators/implementation.h"
#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
#include "codegen/spaces/schedule_space.h"
#include "tests/support/candidate.h"

namespace tunefleet::codegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::Target Avx512() {
  v1::Target target;
  target.set_triple("x86_64-linux-gnu");
  target.set_cpu("skylake-avx512");
  for (const char* feature : {"avx", "avx2", "avx512bw", "avx512dq", "avx512f", "avx512vl", "fma"}) {
    target.add_features(feature);
  }
  const int64_t sizes[] = {48 << 10, 2 << 20, 64 << 20};
  for (int level = 1; level <= 3; ++level) {
    v1::CacheLevel& cache = *target.add_caches();
    cache.set_level(level);
    cache.set_size_bytes(sizes[level - 1]);
  }
  return target;
}

v1::Target Neon() {
  v1::Target target;
  target.set_triple("aarch64-linux-gnu");
  target.set_cpu("cortex-a53");
  target.add_features("neon");
  return target;
}

v1::Workload Product(int64_t m, int64_t n, int64_t k) {
  return ParseOperator(absl::StrCat("matmul(m=", m, ",n=", n, ",k=", k, ")")).value();
}

LoopNest Scheduled(const v1::Workload& workload, const ScheduleBuilder& schedule) {
  return Replay(FreshNest(workload, "direct", 1).value(), schedule.schedule()).value();
}

// Register tiles of `rows` by 32; for each column tile all row tiles.
ScheduleBuilder Tiles(int64_t rows) {
  ScheduleBuilder b("direct", 1);
  b.CacheWrite("matmul", "output", "local", "acc")
      .Split("m", {0, rows}, {"m.o", "m.i"})
      .Split("n", {0, 2, 16}, {"n.o", "n.i", "n.v"})
      .Reorder({"b", "n.o", "m.o", "k", "m.i", "n.i", "n.v"})
      .ReverseComputeAt("acc.out", "m.o")
      .DecomposeReduction("matmul", "k", "init");
  for (const auto& [row, column] : {std::pair{"acc.out.d1", "acc.out.d2"}, std::pair{"init.m", "init.n"}}) {
    const std::string vectors = absl::StrCat(column, ".i"), lanes = absl::StrCat(column, ".v");
    b.Split(column, {2, 16}, {vectors, lanes}).Unroll(row).Unroll(vectors).Vectorize(lanes);
  }
  return b.Unroll("m.i").Unroll("n.i").Vectorize("n.v");
}

TEST(CeilingsTest, FollowTheVectorsTheClockAndTheThreads) {
  v1::Target target = Avx512();
  EXPECT_DOUBLE_EQ(DeclaredCeilings(target, 2).peak_gflops, 128) << "2 GHz, 2 multiply-adds of 16 lanes, 2 flops each";
  EXPECT_DOUBLE_EQ(DeclaredCeilings(target, 2, v1::DATA_TYPE_INT8).peak_gflops, 128);
  EXPECT_DOUBLE_EQ(DeclaredCeilings(target, 2).levels[0].gigabytes_s, 256);
  target.set_threads(2);
  EXPECT_DOUBLE_EQ(DeclaredCeilings(target, 2).peak_gflops, 256);
  target.clear_features();
  target.add_features("avx2");
  EXPECT_DOUBLE_EQ(DeclaredCeilings(target, 2).peak_gflops, 128);
  target.add_features("avxvnni");
  EXPECT_DOUBLE_EQ(DeclaredCeilings(target, 2).peak_gflops, 128);
  EXPECT_DOUBLE_EQ(DeclaredCeilings(target, 2, v1::DATA_TYPE_INT8).peak_gflops, 512) << "four products a lane";
}

TEST(RooflineTest, CachesFetchWhatTheirLoopsTouch) {
  // A panel of 32 columns of B is 256 kB: more than the first level, less than the second.
  const v1::Workload workload = Product(240, 1024, 2048);
  const Roofline roofline = RooflineOf(Scheduled(workload, Tiles(12)), DeclaredCeilings(Avx512(), 2), false);
  EXPECT_DOUBLE_EQ(roofline.flops, FlopCount(workload));
  const double a = 240.0 * 2048 * 4, b = 2048.0 * 1024 * 4, c = 240.0 * 1024 * 4;
  ASSERT_EQ(roofline.levels.size(), 4);
  EXPECT_EQ(roofline.levels[0].name, "L1");
  // Registers: every step of a tile loads 12 elements of A and 32 of B; the tile is stored once.
  EXPECT_DOUBLE_EQ(roofline.levels[0].bytes, 20 * 32 * 2048 * (12 + 32) * 4 + c);
  // First level: each tile reads its rows of A and its panel of B.
  EXPECT_DOUBLE_EQ(roofline.levels[1].bytes, 32 * a + 20 * b + c);
  // Second level: A (1.97 MB) and a panel do not fit together; rows stay for one tile, the panel for its row tiles.
  EXPECT_DOUBLE_EQ(roofline.levels[2].bytes, 32 * a + b + c);
  // Third level: everything fits.
  EXPECT_DOUBLE_EQ(roofline.levels[3].bytes, a + b + c);
  EXPECT_DOUBLE_EQ(roofline.levels[3].intensity, FlopCount(workload) / (a + b + c));
}

TEST(RooflineTest, TheLowestRoofIsTheBound) {
  const v1::Workload deep = Product(240, 1024, 2048);
  const Ceilings ceilings = DeclaredCeilings(Avx512(), 2);
  EXPECT_EQ(RooflineOf(Scheduled(deep, Tiles(12)), ceilings, false).bound, "peak");
  // One row: every element of B is used once, and B is larger than all caches.
  const v1::Workload thin = Product(1, 32768, 1024);
  const Roofline roofline = RooflineOf(Scheduled(thin, Tiles(1)), ceilings, false);
  EXPECT_EQ(roofline.bound, "memory");
  EXPECT_LT(roofline.bound_gflops, ceilings.peak_gflops / 10);
}

TEST(RooflineTest, WhatAWarmRunFindsDoesNotMove) {
  // 1.97 MB, 8.39 MB and 0.98 MB: more than the second level, less than the third.
  const LoopNest nest = Scheduled(Product(240, 1024, 2048), Tiles(12));
  const Ceilings ceilings = DeclaredCeilings(Avx512(), 2);
  const Roofline first = RooflineOf(nest, ceilings, false), warm = RooflineOf(nest, ceilings, true);
  for (size_t level = 0; level < 3; ++level) EXPECT_EQ(warm.levels[level].bytes, first.levels[level].bytes);
  EXPECT_EQ(warm.levels[3].bytes, 0);
  EXPECT_GT(warm.levels[3].bound_gflops, ceilings.peak_gflops);
  // One row of a small product: cold it waits for memory, warm for its first level.
  const LoopNest small = Scheduled(Product(1, 64, 64), Tiles(1));
  EXPECT_EQ(RooflineOf(small, ceilings, false).bound, "memory");
  EXPECT_EQ(RooflineOf(small, ceilings, true).bound, "L1");
}

TEST(RooflineTest, WinogradIsHeldAgainstTheProductsThatItNeeds) {
  const v1::Workload workload = ParseOperator("conv2d(h=16,w=16,ci=64,co=64,k=3,p=1,layout=NCHW16c)").value();
  std::mt19937_64 random(1);
  int seen = 0;
  const auto spaces = SpacesFor(workload, Avx512()).value();
  for (const std::unique_ptr<ScheduleSpace>& space : spaces) {
    if (space->name() != "x86.conv2d.winograd.2") continue;
    for (int i = 0; i < 5; ++i) {
      const LoopNest nest = Replay(space->Fresh(), space->ToSchedule(RandomValues(*space, random)).value()).value();
      // 8 x 8 tiles of 2 x 2 outputs, of 16 products for each pair of channels.
      EXPECT_DOUBLE_EQ(RooflineOf(nest, DeclaredCeilings(Avx512(), 2), false).flops, 2.0 * 64 * 16 * 64 * 64);
      ++seen;
    }
  }
  EXPECT_EQ(seen, 5);
}

TEST(DisassemblyTest, CountsTheRegisterTilesInstructions) {
  const v1::Workload workload = Product(24, 64, 32);
  LlvmCodeGenerator generator;
  const Artifact artifact = generator.Generate(Scheduled(workload, Tiles(12)), Avx512()).value();
  const absl::StatusOr<std::vector<Instruction>> code = Disassemble(artifact.code, "x86_64-linux-gnu");
  ASSERT_TRUE(code.ok()) << code.status();
  const InstructionMix mix = MixOf(HottestLoop(*code));
  EXPECT_EQ(mix.multiply_adds, 24) << "12 rows of 2 vectors";
  EXPECT_EQ(mix.loads + mix.memory_operands, 14) << "12 broadcasts and 2 vectors";
  EXPECT_EQ(mix.stores, 0);
  EXPECT_EQ(mix.spills, 0);
  EXPECT_EQ(mix.branches, 1);
  EXPECT_EQ(mix.total, mix.multiply_adds + mix.arithmetic + mix.loads + mix.shuffles + mix.integers + mix.branches);
}

TEST(DisassemblyTest, SeesSpills) {
  const v1::Workload workload = Product(40, 64, 32);
  LlvmCodeGenerator generator;
  const Artifact artifact = generator.Generate(Scheduled(workload, Tiles(20)), Avx512()).value();
  const InstructionMix mix = MixOf(HottestLoop(Disassemble(artifact.code, "x86_64-linux-gnu").value()));
  EXPECT_GT(mix.spills, 0) << "40 accumulators in 32 registers";
}

TEST(DisassemblyTest, PrefetchesReadAndStoreNothing) {
  const v1::Workload workload = Product(24, 64, 32);
  LlvmCodeGenerator generator;
  ScheduleBuilder tiles = Tiles(12);
  tiles.Prefetch("b", 4096);
  for (const auto& [triple, target] :
       {std::pair{"x86_64-linux-gnu", Avx512()}, std::pair{"aarch64-linux-gnu", Neon()}}) {
    const Artifact artifact = generator.Generate(Scheduled(workload, tiles), target).value();
    const std::vector<Instruction> loop = HottestLoop(Disassemble(artifact.code, triple).value());
    const InstructionMix mix = MixOf(loop);
    EXPECT_GT(mix.prefetches, 0) << triple;
    int loads = 0;
    for (const Instruction& instruction : loop) {
      if (instruction.kind != InstructionKind::kPrefetch) continue;
      EXPECT_FALSE(instruction.writes_memory) << instruction.text;
      loads += instruction.reads_memory ? 1 : 0;
    }
    EXPECT_EQ(loads, mix.prefetches);
    EXPECT_LE(mix.stores, mix.spills) << triple;
  }
}

TEST(DisassemblyTest, RefusesWhatIsNoCode) {
  EXPECT_EQ(Disassemble("no object file", "x86_64-linux-gnu").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Disassemble("", "no-such-architecture").status().code(), absl::StatusCode::kNotFound);
}

TEST(HottestLoopTest, IsTheOneWithMostMultiplyAdds) {
  const auto make = [](uint64_t address, InstructionKind kind, int64_t target = -1) {
    return Instruction{.address = address, .branch_target = target, .kind = kind};
  };
  const std::vector<Instruction> code = {make(0, InstructionKind::kLoad),        make(1, InstructionKind::kLoad),
                                         make(2, InstructionKind::kBranch, 0),   make(3, InstructionKind::kInteger),
                                         make(4, InstructionKind::kMultiplyAdd), make(5, InstructionKind::kBranch, 4),
                                         make(6, InstructionKind::kBranch, 3)};
  EXPECT_EQ(InnermostLoops(code).size(), 2) << "the loop from 6 to 3 has another inside";
  std::vector<uint64_t> addresses;
  for (const Instruction& instruction : HottestLoop(code)) addresses.push_back(instruction.address);
  EXPECT_THAT(addresses, ElementsAre(4, 5));
  EXPECT_TRUE(HottestLoop({make(0, InstructionKind::kLoad)}).empty());
}

// An instruction for each letter, its address the position: 'n' pads, 'r' returns, a digit jumps there or goes on, '!'
// and a digit (which is no instruction) jumps there.
std::vector<Instruction> CodeFrom(const std::string& letters) {
  std::vector<Instruction> code;
  for (size_t i = 0; i < letters.size(); ++i) {
    Instruction instruction{.address = i};
    if (letters[i] == 'n') instruction.text = "\tnopw\t(%rax)";
    if (letters[i] == 'r') instruction.falls_through = false;
    if (letters[i] == '!') {
      instruction.branch_target = letters[i + 1] - '0';
      instruction.falls_through = false;
      code.push_back(instruction);
      ++i;
      continue;
    }
    if (letters[i] >= '0' && letters[i] <= '9') instruction.branch_target = letters[i] - '0';
    code.push_back(instruction);
  }
  return code;
}

std::vector<std::vector<uint64_t>> LoopsIn(const std::string& letters) {
  std::vector<std::vector<uint64_t>> loops;
  for (const std::vector<Instruction>& loop : InnermostLoops(CodeFrom(letters))) {
    for (loops.emplace_back(); const Instruction& instruction : loop) loops.back().push_back(instruction.address);
  }
  return loops;
}

TEST(InnermostLoopsTest, AreFoundWhateverTheCodeLooksLike) {
  using Loop = std::vector<uint64_t>;
  EXPECT_THAT(LoopsIn("amb1r"), ElementsAre(Loop{1, 2, 3}));
  // A tap that is left out goes back to the header: one loop, not two.
  EXPECT_THAT(LoopsIn("aa1mm1r"), ElementsAre(Loop{1, 2, 3, 4, 5}));
  // The outer loop's end lies before the inner one, which leaves for it from its middle: that jump is no loop.
  EXPECT_THAT(LoopsIn("!4a9am2!5r"), ElementsAre(Loop{5, 6, 7}));
  // Padding behind a jump is no way into the loop.
  EXPECT_THAT(LoopsIn("aa6!6nmm1r"), ElementsAre(Loop{1, 2, 3, 6, 7, 8}));
  // Two functions, the second begins with its loop.
  EXPECT_THAT(LoopsIn("am0rm4r"), ElementsAre(Loop{0, 1, 2}, Loop{4, 5}));
  EXPECT_THAT(LoopsIn("amr"), ElementsAre());
  // Entered in two places: no natural loop.
  EXPECT_THAT(LoopsIn("a3bm2r"), ElementsAre());
}

TEST(HottestLoopTest, IsWinogradsMultiplicationAlsoWhereTransformsAreUnrolled) {
  const v1::Workload workload = ParseOperator("conv2d(h=14,w=14,ci=32,co=32,k=3,p=1,layout=NCHW16c)").value();
  std::mt19937_64 random(1);
  int unrolled = 0, larger = 0;
  const auto spaces = SpacesFor(workload, Avx512()).value();
  for (const std::unique_ptr<ScheduleSpace>& space : spaces) {
    const auto knob = std::find(space->knobs().begin(), space->knobs().end(), "unroll_transforms");
    if (knob == space->knobs().end()) continue;
    for (int i = 0; i < 4; ++i) {
      const Values values = RandomValues(*space, random);
      if (values[knob - space->knobs().begin()] == 0) continue;
      ++unrolled;
      const Artifact artifact = CompileCandidate(*space, values, Avx512()).value().artifact;
      const std::vector<Instruction> code = Disassemble(artifact.code, "x86_64-linux-gnu").value();
      const InstructionMix mix = MixOf(HottestLoop(code));
      EXPECT_GT(mix.multiply_adds, 0) << space->name();
      EXPECT_EQ(mix.arithmetic, 0) << space->name() << ": the multiplication adds products up and does nothing else";
      for (const std::vector<Instruction>& loop : InnermostLoops(code)) {
        larger += MixOf(loop).multiply_adds > mix.multiply_adds ? 1 : 0;
      }
    }
  }
  EXPECT_GT(unrolled, 3);
  EXPECT_GT(larger, 0) << "some transform has more multiply-adds";
}

TEST(RooflineSvgTest, ShowsCeilingsTrialsAndEscapesText) {
  const v1::Workload workload = Product(240, 1024, 2048);
  RooflinePicture picture{.title = "a < b", .ceilings = DeclaredCeilings(Avx512(), 2), .best_gflops = 100};
  picture.best = RooflineOf(Scheduled(workload, Tiles(12)), picture.ceilings, false);
  picture.trials = {{2, 50}, {4, 100}};
  picture.trials_level = "L2";
  const std::string svg = RooflineSvg(picture);
  EXPECT_THAT(svg, HasSubstr("a &lt; b"));
  EXPECT_THAT(svg, HasSubstr("L2 128 GB/s"));
  EXPECT_THAT(svg, HasSubstr("peak 128 GFLOP/s"));
  int circles = 0;
  for (size_t at = svg.find("<circle"); at != std::string::npos; at = svg.find("<circle", at + 1)) ++circles;
  EXPECT_EQ(circles, 4) << "each trial in both panels";
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
  picture.trials.clear();
  EXPECT_EQ(RooflineSvg(picture).find("nan"), std::string::npos) << "a picture without trials";
}

}  // namespace
}  // namespace tunefleet::codegen
