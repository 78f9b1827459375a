#include "codegen/lowering/lower.h"

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/tree.h"
#include "codegen/ir/validator.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/codegen/interpreter/random_nest.h"
#include "tests/codegen/lowering/conv_nest.h"
#include "tests/codegen/lowering/random_kinds.h"
#include "tests/codegen/lowering/two_blocks.h"

namespace tunefleet::codegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kIn = 0;
constexpr int kTemp = 2;

Buffers Ramp(const LoopNest& nest) {
  Buffers inputs;
  for (const Buffer& buffer : nest.buffers) {
    if (buffer.role != Role::kInput && buffer.role != Role::kConstant) continue;
    for (int64_t i = 0; i < buffer.NumElements(); ++i) {
      inputs[buffer.name].push_back(static_cast<double>(i % 11 - 5));
    }
  }
  return inputs;
}

int CountIfs(const Stmt& stmt) {
  int count = 0;
  RewriteStmts(stmt, [&](const Stmt& s) {
    count += As<If>(s) != nullptr;
    return s;
  });
  return count;
}

TEST(LowerTest, RandomSchedulesKeepTheirMeaning) {
  std::mt19937_64 random(20);
  int lowered_count = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const LoopNest fresh = RandomNest(random);
    const LoopNest nest = WithRandomSchedule(fresh, random);
    ASSERT_TRUE(Validate(nest).ok()) << Validate(nest) << Print(nest);
    const absl::StatusOr<LoweredNest> lowered = Lower(nest);
    if (!lowered.ok()) {
      EXPECT_EQ(lowered.status().code(), absl::StatusCode::kFailedPrecondition) << lowered.status() << Print(nest);
      continue;
    }
    ++lowered_count;
    const Buffers inputs = RandomInputs(fresh, random);
    const absl::StatusOr<Buffers> expected = Interpret(fresh, inputs);
    ASSERT_TRUE(expected.ok()) << expected.status();
    const absl::StatusOr<Buffers> actual =
        Interpret(lowered->nest, inputs, {.concurrent_order = IterationOrder::kShuffled});
    ASSERT_TRUE(actual.ok()) << actual.status() << Print(nest) << Print(lowered->nest);
    ASSERT_EQ(*actual, *expected) << Print(nest) << Print(lowered->nest);
  }
  EXPECT_GT(lowered_count, 200);
}

TEST(LowerTest, LoweredNestsKeepTheirPromises) {
  std::mt19937_64 random(21);
  for (int trial = 0; trial < 100; ++trial) {
    const absl::StatusOr<LoweredNest> lowered = Lower(WithRandomSchedule(RandomNest(random), random));
    if (!lowered.ok()) continue;
    for (const Block* block : BlocksIn(lowered->nest.run)) {
      EXPECT_TRUE(block->iters.empty() && block->init.empty() && block->guard.empty());
    }
    for (const Loop* loop : LoopsIn(lowered->nest.run)) {
      EXPECT_NE(loop->kind, LoopKind::kUnrolled);
      if (loop->kind != LoopKind::kVectorized) continue;
      EXPECT_EQ(ConstantInt(loop->begin), 0);
      EXPECT_TRUE(ConstantInt(loop->extent).has_value());
      EXPECT_TRUE(LoopsIn(loop->body).empty());
    }
  }
}

TEST(LowerTest, AccumulatorShrinksToTheRegisterTile) {
  const absl::StatusOr<LoweredNest> lowered = Lower(ConvNest({}, {.tile_co = 2, .tile_w = 14}));
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  EXPECT_THAT(lowered->nest.buffers[3].shape, ElementsAre(2, 1, 14, 16));
  EXPECT_EQ(lowered->workspace_bytes, 0);
}

TEST(LowerTest, SkippedTapCostsOneBranchOutsideTheLoopsThatDoNotKnowOfIt) {
  const absl::StatusOr<LoweredNest> lowered = Lower(ConvNest({}, {}));
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  // Per column tile: both conditions on kh around everything inside. Those on kw are proven, kw and tiles are unrolled.
  EXPECT_EQ(CountIfs(lowered->nest.run), 2 * 2);
  for (const Loop* loop : LoopsIn(lowered->nest.run)) {
    if (loop->var->name != "kh") continue;
    ASSERT_NE(As<If>(loop->body), nullptr) << Print(lowered->nest);
    const If* inner = As<If>(As<If>(loop->body)->then_stmt);
    ASSERT_NE(inner, nullptr);
    EXPECT_NE(As<Loop>(inner->then_stmt), nullptr);
  }
}

TEST(LowerTest, TileThatFitsOneRowLivesOncePerTask) {
  const absl::StatusOr<LoweredNest> lowered = Lower(TwoBlocks(10, 20, true, Scope::kWorkspace));
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  EXPECT_THAT(lowered->nest.buffers[kTemp].shape, ElementsAre(1, 20));
  EXPECT_EQ(lowered->workspace_offsets[kTemp], 0);
  EXPECT_EQ(lowered->workspace_task_stride[kTemp], 128);  // 80 bytes, rounded up to 64
  EXPECT_EQ(lowered->workspace_bytes, 10 * 128);
  EXPECT_EQ(lowered->workspace_offsets[kIn], -1);
}

TEST(LowerTest, ManyIterationsShareTheTasksThatHaveWorkspace) {
  const LoopNest nest = TwoBlocks(10, 3, true, Scope::kWorkspace);
  const absl::StatusOr<LoweredNest> lowered = Lower(nest, {.max_parallel_tasks_with_workspace = 4});
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  EXPECT_EQ(lowered->workspace_bytes, 4 * 64);
  EXPECT_THAT(Print(lowered->nest), HasSubstr("i.task"));
  EXPECT_EQ(Interpret(lowered->nest, Ramp(nest)).value(), Interpret(nest, Ramp(nest)).value());
}

TEST(LowerTest, LocalBufferThatCrossesTasksMovesToTheWorkspace) {
  const absl::StatusOr<LoweredNest> lowered = Lower(TwoBlocks(4, 8, false, Scope::kLocal));
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  EXPECT_EQ(lowered->nest.buffers[kTemp].scope, Scope::kWorkspace);
  EXPECT_EQ(lowered->workspace_task_stride[kTemp], 0);
  EXPECT_EQ(lowered->workspace_bytes, 4 * 8 * 4);
}

TEST(LowerTest, LocalBufferInsideOneTaskStaysLocal) {
  const absl::StatusOr<LoweredNest> lowered = Lower(TwoBlocks(4, 8, true, Scope::kLocal));
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  EXPECT_EQ(lowered->nest.buffers[kTemp].scope, Scope::kLocal);
  EXPECT_EQ(lowered->workspace_bytes, 0);
}

TEST(LowerTest, NestOverALimitIsRefused) {
  EXPECT_EQ(Lower(ConvNest({}, {}), {.max_unrolled_stores = 100}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Lower(TwoBlocks(10, 20, true, Scope::kWorkspace), {.max_workspace_bytes = 1000}).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Lower(TwoBlocks(10, 20, true, Scope::kLocal), {.max_local_bytes = 64}).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(LowerTest, VectorizedReductionIsRefused) {
  const LoopNest nest = WithKind(ConvNest({}, {.tile_co = 1, .tile_w = 1}), "ci.m", LoopKind::kVectorized);
  const absl::Status status = Lower(nest).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
}

TEST(LowerTest, VectorizedLoopAroundALoopIsRefused) {
  const absl::Status status = Lower(WithKind(ConvNest({}, {}), "oh", LoopKind::kVectorized)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("oh"));
}

TEST(LowerTest, LanesThatDependOnEachOtherAreRefused) {
  LoopNest nest = TwoBlocks(4, 8, true, Scope::kLocal);
  // t[i, j] = t[i, j - 1] * 2 reads what the lane before wrote.
  const Path path = FindBlock(nest, "a").value();
  Block block = *As<Block>(path.target());
  const Expr i = VarRef(block.iters[0].var);
  const Expr j = VarRef(block.iters[1].var);
  block.body[0].value = Load(kTemp, ScalarType::kFloat32, {i, Max(j - Int(1), Int(0))});
  nest = ReplaceTarget(nest, path, MakeStmt(block));
  EXPECT_EQ(Lower(WithKind(nest, "j", LoopKind::kVectorized)).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(LowerTest, GpuLoopIsRefused) {
  EXPECT_EQ(Lower(WithKind(ConvNest({}, {}), "oh", LoopKind::kBlockX)).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace tunefleet::codegen
