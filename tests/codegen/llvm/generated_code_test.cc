// Generated code against the interpreter.
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/tree.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "gtest/gtest.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/codegen/interpreter/random_nest.h"
#include "tests/codegen/ir/sample_nests.h"
#include "tests/codegen/llvm/run_kernel.h"
#include "tests/codegen/lowering/conv_nest.h"
#include "tests/codegen/lowering/random_kinds.h"
#include "tests/codegen/lowering/two_blocks.h"

namespace tunefleet::codegen {
namespace {

constexpr ScalarType kF32 = ScalarType::kFloat32;

void ExpectSameAsInterpreted(const LoopNest& nest, const Buffers& inputs, const v1::Target& target,
                             const Buffers& expected) {
  // Three tasks at most, so that iterations share the workspace of a task.
  LlvmCodeGenerator generator(PassPipeline::kLight, {.max_parallel_tasks_with_workspace = 3});
  const absl::StatusOr<Artifact> artifact = generator.Generate(nest, target);
  ASSERT_TRUE(artifact.ok()) << artifact.status() << Print(nest);
  for (const int threads : {0, 1, 3}) {
    ASSERT_EQ(RunKernel(nest, *artifact, inputs, threads), expected) << threads << " threads\n" << Print(nest);
  }
}

void ExpectSameAsInterpreted(const LoopNest& nest, const Buffers& inputs) {
  const absl::StatusOr<Buffers> expected = Interpret(nest, inputs);
  ASSERT_TRUE(expected.ok()) << expected.status() << Print(nest);
  ExpectSameAsInterpreted(nest, inputs, HostTarget(), *expected);
}

Buffers SmallIntegers(const LoopNest& nest, int64_t low, int64_t high) {
  std::mt19937_64 random(5);
  Buffers inputs;
  for (const Buffer& buffer : nest.buffers) {
    if (buffer.role != Role::kInput && buffer.role != Role::kConstant) continue;
    for (int64_t i = 0; i < buffer.NumElements(); ++i) {
      const int64_t value = absl::Uniform<int64_t>(absl::IntervalClosed, random, low, high);
      inputs[buffer.name].push_back(static_cast<double>(value));
    }
  }
  return inputs;
}

// out[i] = value(i) for i in [0, extent), with one loop of the given kind. The caller has filled the buffers; the last
// is the output.
LoopNest Elementwise(std::vector<Buffer> buffers, int64_t extent, LoopKind kind,
                     const std::function<Expr(const Expr&)>& value) {
  LoopNest nest{.name = "elementwise", .buffers = std::move(buffers)};
  const Var i = MakeVar("i");
  Block block{.name = "b"};
  block.iters = {{MakeVar("b.i"), IterKind::kSpatial, extent, VarRef(i)}};
  const Expr at = VarRef(block.iters[0].var);
  block.body = {{static_cast<int>(nest.buffers.size()) - 1, {at}, StoreOp::kAssign, value(at)}};
  nest.run = For(i, extent, MakeStmt(WithInferredRegions(nest, block)), kind);
  return nest;
}

TEST(GeneratedCodeTest, RandomSchedulesGiveTheInterpretersValues) {
  std::mt19937_64 random(40);
  int ran = 0;
  for (int trial = 0; trial < 150; ++trial) {
    const LoopNest fresh = RandomNest(random);
    const LoopNest nest = WithRandomSchedule(fresh, random);
    const Buffers inputs = RandomInputs(fresh, random);
    if (!Lower(nest).ok()) continue;
    const absl::StatusOr<Buffers> expected = Interpret(fresh, inputs);
    ASSERT_TRUE(expected.ok()) << expected.status();
    ASSERT_NO_FATAL_FAILURE(ExpectSameAsInterpreted(nest, inputs, HostTarget(), *expected));
    ++ran;
  }
  EXPECT_GT(ran, 75);
}

TEST(GeneratedCodeTest, OlderInstructionSetsAndO3GiveTheSameValues) {
  std::mt19937_64 random(41);
  std::vector<v1::Target> targets(2, HostTarget());
  if (targets[0].triple().rfind("x86_64", 0) != 0) GTEST_SKIP() << "the older targets are x86's";
  targets[0].set_cpu("x86-64");
  targets[0].clear_features();
  targets[1].set_cpu("haswell");
  targets[1].clear_features();
  for (int trial = 0; trial < 40; ++trial) {
    const LoopNest fresh = RandomNest(random);
    const LoopNest nest = WithRandomSchedule(fresh, random);
    const Buffers inputs = RandomInputs(fresh, random);
    if (!Lower(nest).ok()) continue;
    const Buffers expected = Interpret(fresh, inputs).value();
    for (const v1::Target& target : targets) {
      ASSERT_NO_FATAL_FAILURE(ExpectSameAsInterpreted(nest, inputs, target, expected));
    }
    const absl::StatusOr<Artifact> slow = LlvmCodeGenerator(PassPipeline::kO3).Generate(nest, HostTarget());
    ASSERT_TRUE(slow.ok()) << slow.status();
    ASSERT_EQ(RunKernel(nest, *slow, inputs, 2), expected) << Print(nest);
  }
}

TEST(GeneratedCodeTest, PackedPaddedConvolutionWithTailIsRight) {
  const LoopNest nest = PaddedConvolution();
  ExpectSameAsInterpreted(nest, SmallIntegers(nest, -5, 5));
}

TEST(GeneratedCodeTest, RegisterTilesOfTheConvolutionAreRight) {
  const ConvShape shape{.blocks_in = 2, .blocks_out = 2, .size = 6, .lanes = 8};
  const Buffers inputs = SmallIntegers(ConvNest(shape, {.tile_w = 3}), -3, 3);
  const Buffers expected = Interpret(ConvNest(shape, {.tile_w = 3}), inputs).value();
  for (const ConvTiling& tiling :
       {ConvTiling{.tile_co = 2, .tile_w = 3}, ConvTiling{.tile_co = 1, .tile_w = 6, .unroll_ci = 4},
        ConvTiling{.tile_co = 2, .tile_w = 2, .kw = LoopKind::kSerial, .outer = LoopKind::kParallel},
        ConvTiling{.tile_co = 1, .tile_w = 2, .tiles = LoopKind::kSerial, .outer = LoopKind::kParallel}}) {
    ExpectSameAsInterpreted(ConvNest(shape, tiling), inputs, HostTarget(), expected);
  }
}

TEST(GeneratedCodeTest, LargeTilesWithFencesBetweenTheirStepsAreRight) {
  const ConvShape shape{.blocks_in = 1, .blocks_out = 2, .size = 14, .lanes = 16};
  const LoopNest nest = ConvNest(shape, {.unroll_ci = 2});
  ExpectSameAsInterpreted(nest, SmallIntegers(nest, -3, 3));
}

// Seen in the workspace that is left behind: the row of every task, each in its place.
TEST(GeneratedCodeTest, EveryTaskHasAWorkspaceOfItsOwn) {
  const LoopNest nest = TwoBlocks(6, 20, true, Scope::kWorkspace);
  const absl::StatusOr<Artifact> artifact = LlvmCodeGenerator().Generate(nest, HostTarget());
  ASSERT_TRUE(artifact.ok()) << artifact.status();
  ASSERT_EQ(artifact->manifest.workspace_bytes(), 6u * 128);  // 80 bytes a row, rounded up to 64
  const Buffers inputs = SmallIntegers(nest, -5, 5);
  for (const int threads : {0, 3}) {
    std::string workspace;
    RunKernel(nest, *artifact, inputs, threads, &workspace);
    for (size_t i = 0; i < inputs.at("in").size(); ++i) {
      float value = 0;
      std::memcpy(&value, workspace.data() + i / 20 * 128 + i % 20 * sizeof(float), sizeof(value));
      ASSERT_EQ(value, 2 * inputs.at("in")[i]) << "element " << i << ", " << threads << " threads";
    }
  }
}

class TypesTest : public testing::TestWithParam<LoopKind> {};

TEST_P(TypesTest, EveryTypeIsLoadedComputedAndStored) {
  for (const ScalarType type : {kF32, ScalarType::kFloat64, ScalarType::kInt32, ScalarType::kInt8}) {
    for (const int64_t extent : {1, 7, 16, 33}) {
      const LoopNest nest = Elementwise({{.name = "x", .type = type, .shape = {extent}, .role = Role::kInput},
                                         {.name = "y", .type = type, .shape = {extent}, .role = Role::kInput},
                                         {.name = "out", .type = type, .shape = {extent}, .role = Role::kOutput}},
                                        extent, GetParam(), [&](const Expr& i) {
                                          const Expr x = Load(0, type, {i});
                                          const Expr y = Load(1, type, {i});
                                          return Max(x * y, Min(x - y, y)) + Select(Less(x, y), x, Cast(type, Int(2)));
                                        });
      ExpectSameAsInterpreted(nest, SmallIntegers(nest, -5, 5));
    }
  }
}

TEST_P(TypesTest, EveryCastIsRight) {
  const std::vector<ScalarType> types = {kF32, ScalarType::kFloat64, ScalarType::kInt32, ScalarType::kInt8};
  for (const ScalarType from : types) {
    for (const ScalarType to : types) {
      const LoopNest nest = Elementwise({{.name = "x", .type = from, .shape = {9}, .role = Role::kInput},
                                         {.name = "out", .type = to, .shape = {9}, .role = Role::kOutput}},
                                        9, GetParam(), [&](const Expr& i) {
                                          const Expr x = Load(0, from, {i});
                                          return Cast(to, x) + Cast(to, i * Int(2)) +
                                                 Select(Less(Cast(from, Int(1)), x), Cast(to, Int(3)), Cast(to, x));
                                        });
      ExpectSameAsInterpreted(nest, SmallIntegers(nest, -100, 100));
    }
  }
}

TEST_P(TypesTest, FloorDivisionAndRemainderRoundDown) {
  for (const int64_t divisor : {1, 3, 4, -3}) {
    const LoopNest nest =
        Elementwise({{.name = "out", .type = ScalarType::kInt32, .shape = {40}, .role = Role::kOutput}}, 40, GetParam(),
                    [&](const Expr& i) {
                      const Expr x = i - Int(20);
                      return Cast(ScalarType::kInt32, FloorDiv(x, Int(divisor)) * Int(100) + FloorMod(x, Int(divisor)) +
                                                          FloorDiv(i, Int(7)) + FloorMod(i, Int(7)));
                    });
    ExpectSameAsInterpreted(nest, {});
  }
}

// Buffers end at a guard page: a load that the condition rules out would fault.
TEST_P(TypesTest, SideOfASelectThatIsNotWantedIsNotLoaded) {
  const LoopNest nest = Elementwise(
      {{.name = "x", .shape = {16}, .role = Role::kInput}, {.name = "out", .shape = {64}, .role = Role::kOutput}}, 64,
      GetParam(), [](const Expr& i) {
        const Expr near = Select(Less(i, Int(16)), Load(0, kF32, {i}), Float(-1, kF32));
        const Expr far = (i - Int(20)) * Int(5000);
        const Expr lone = Select(Equal(i, Int(20)), Load(0, kF32, {far}), near);
        return lone + Select(Less(Int(2) * i, Int(16)), Load(0, kF32, {Int(15) - Int(2) * i}), Float(0, kF32));
      });
  ExpectSameAsInterpreted(nest, SmallIntegers(nest, -5, 5));
}

TEST_P(TypesTest, StridedAndReversedAccessesAreRight) {
  const LoopNest nest = Elementwise(
      {{.name = "x", .shape = {40}, .role = Role::kInput}, {.name = "out", .shape = {13}, .role = Role::kOutput}}, 13,
      GetParam(), [](const Expr& i) {
        return Load(0, kF32, {Int(3) * i}) - Load(0, kF32, {Int(39) - Int(2) * i}) +
               Load(0, kF32, {FloorDiv(i, Int(3)) + FloorMod(i, Int(2))});
      });
  ExpectSameAsInterpreted(nest, SmallIntegers(nest, -5, 5));
}

TEST_P(TypesTest, LiteralsAreReadWhereverTheirIndicesLead) {
  const LoopNest nest = Elementwise(
      {{.name = "x", .shape = {8}, .role = Role::kInput},
       {.name = "t", .shape = {3, 2}, .role = Role::kLiteral, .literal = {1, 0, -2, 3, 0.5, -1}},
       {.name = "out", .shape = {8}, .role = Role::kOutput}},
      8, GetParam(), [](const Expr& i) {
        const Expr x = Load(0, kF32, {i});
        return Load(1, kF32, {FloorMod(i, Int(3)), Int(0)}) * x + Load(1, kF32, {Int(1), FloorMod(i, Int(2))}) * x;
      });
  ExpectSameAsInterpreted(nest, SmallIntegers(nest, 1, 5));
}

INSTANTIATE_TEST_SUITE_P(Kinds, TypesTest,
                         testing::Values(LoopKind::kSerial, LoopKind::kVectorized, LoopKind::kUnrolled),
                         [](const auto& info) {
                           return info.param == LoopKind::kSerial       ? "Serial"
                                  : info.param == LoopKind::kVectorized ? "Vectorized"
                                                                        : "Unrolled";
                         });

TEST(GeneratedCodeTest, TailLanesNeitherLoadNorStore) {
  for (const int64_t extent : {1, 5, 15, 17, 31}) {
    for (const ScalarType type : {kF32, ScalarType::kFloat64, ScalarType::kInt8, ScalarType::kInt32}) {
      LoopNest nest = Elementwise({{.name = "x", .type = type, .shape = {extent}, .role = Role::kInput},
                                   {.name = "out", .type = type, .shape = {extent}, .role = Role::kOutput}},
                                  extent, LoopKind::kSerial,
                                  [&](const Expr& i) { return Load(0, type, {i}) + Cast(type, Int(1)); });
      nest = WithKind(SplitLoop(nest, "i", 16), "i.i", LoopKind::kVectorized);
      ExpectSameAsInterpreted(nest, SmallIntegers(nest, -5, 5));
    }
  }
}

}  // namespace
}  // namespace tunefleet::codegen
