#include "tests/codegen/interpreter/interpreter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "codegen/ir/printer.h"
#include "codegen/ir/tree.h"
#include "codegen/ir/validator.h"
#include "tests/codegen/interpreter/random_nest.h"

namespace tunefleet::codegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr ScalarType kF32 = ScalarType::kFloat32;

// for i in [0, extent): out[i] = value(i), with no regions.
LoopNest Elementwise(int64_t extent, std::vector<Buffer> buffers, const Expr& value, const Var& i, const Expr& index) {
  LoopNest nest;
  nest.name = "test";
  nest.buffers = std::move(buffers);
  const Var loop = MakeVar("l");
  Block block;
  block.name = "b";
  block.iters = {{i, IterKind::kSpatial, extent, VarRef(loop)}};
  block.body = {{nest.FindBuffer("out"), {index}, StoreOp::kAssign, value}};
  nest.run = MakeStmt(Loop{loop, Int(0), Int(extent), LoopKind::kSerial, MakeStmt(std::move(block))});
  return nest;
}

std::vector<Buffer> InAndOut(int64_t in, int64_t out) {
  return {{"in", kF32, {in}, Role::kInput}, {"out", kF32, {out}, Role::kOutput}};
}

TEST(InterpreterTest, RunsAnElementwiseBlock) {
  const Var i = MakeVar("i");
  const LoopNest nest =
      Elementwise(3, InAndOut(3, 3), Load(0, kF32, {VarRef(i)}) * Float(2, kF32) + Float(1, kF32), i, VarRef(i));
  const absl::StatusOr<Buffers> outputs = Interpret(nest, {{"in", {1, 2, 3}}});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(outputs->at("out"), ElementsAre(3, 5, 7));
}

TEST(InterpreterTest, RoundsFloatsAfterEveryOperation) {
  const Var i = MakeVar("i");
  const Expr x = Load(0, kF32, {VarRef(i)});
  const LoopNest nest = Elementwise(1, InAndOut(1, 1), (x + Float(1, kF32)) - x, i, VarRef(i));
  const absl::StatusOr<Buffers> outputs = Interpret(nest, {{"in", {1 << 25}}});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(outputs->at("out"), ElementsAre(0));
}

TEST(InterpreterTest, RefusesIndicesOutsideTheBuffer) {
  const Var i = MakeVar("i");
  const LoopNest nest = Elementwise(3, InAndOut(2, 3), Load(0, kF32, {VarRef(i)}), i, VarRef(i));
  EXPECT_THAT(Interpret(nest, {{"in", {1, 2}}}).status().message(),
              HasSubstr("block b(i=2): read of in[2] outside its shape"));
}

TEST(InterpreterTest, RefusesOutputsThatAreNotFullyWritten) {
  const Var i = MakeVar("i");
  const LoopNest nest = Elementwise(2, InAndOut(2, 3), Load(0, kF32, {VarRef(i)}), i, VarRef(i));
  EXPECT_THAT(Interpret(nest, {{"in", {1, 2}}}).status().message(), HasSubstr("output out: element 2"));
}

TEST(InterpreterTest, RefusesAccessesOutsideTheDeclaredRegions) {
  const Var i = MakeVar("i");
  LoopNest nest = Elementwise(2, InAndOut(2, 2), Load(0, kF32, {VarRef(i)}), i, VarRef(i));
  const Path path = FindBlock(nest, "b").value();
  Block block = *As<Block>(path.target());
  block.reads = {{0, {{Int(0), 1}}}};
  block.writes = {{1, {{VarRef(i), 1}}}};
  nest = ReplaceTarget(nest, path, MakeStmt(std::move(block)));
  EXPECT_THAT(Interpret(nest, {{"in", {1, 2}}}).status().message(),
              HasSubstr("read of in[1] outside the declared regions"));
}

TEST(InterpreterTest, RefusesIteratorsOutsideTheirDomain) {
  const Var i = MakeVar("i");
  LoopNest nest = Elementwise(3, InAndOut(3, 3), Load(0, kF32, {VarRef(i)}), i, VarRef(i));
  const Path path = FindBlock(nest, "b").value();
  Block block = *As<Block>(path.target());
  block.iters[0].extent = 2;
  nest = ReplaceTarget(nest, path, MakeStmt(std::move(block)));
  EXPECT_THAT(Interpret(nest, {{"in", {1, 2, 3}}}).status().message(), HasSubstr("iterator i leaves [0, 2)"));
}

TEST(InterpreterTest, SelectDoesNotEvaluateTheOtherBranch) {
  const Var i = MakeVar("i");
  const Expr value = Select(Less(VarRef(i), Int(1)), Float(7, kF32), Load(0, kF32, {VarRef(i) - Int(1)}));
  const absl::StatusOr<Buffers> outputs =
      Interpret(Elementwise(3, InAndOut(2, 3), value, i, VarRef(i)), {{"in", {1, 2}}});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(outputs->at("out"), ElementsAre(7, 1, 2));
}

// A window of two taps over a temporary: out[i] = t[i] + t[i + 1], t[j] = in[j], the temporary written as `fused` says:
// before the loop over i, or inside it just for i.
LoopNest TwoTaps(bool fused, LoopKind kind) {
  LoopNest nest;
  nest.name = "taps";
  nest.buffers = {{"in", kF32, {5}, Role::kInput},
                  {"t", kF32, {5}, Role::kTemporary, Scope::kLocal},
                  {"out", kF32, {4}, Role::kOutput}};
  const Var i_loop = MakeVar("i");
  const Var j_loop = MakeVar("j");
  const Var i = MakeVar("vi");
  const Var j = MakeVar("vj");
  Block copy;
  copy.name = "copy";
  copy.iters = {{j, IterKind::kSpatial, 5, fused ? VarRef(i_loop) + VarRef(j_loop) : VarRef(j_loop)}};
  copy.body = {{1, {VarRef(j)}, StoreOp::kAssign, Load(0, kF32, {VarRef(j)})}};
  Block add;
  add.name = "add";
  add.iters = {{i, IterKind::kSpatial, 4, VarRef(i_loop)}};
  add.body = {{2, {VarRef(i)}, StoreOp::kAssign, Load(1, kF32, {VarRef(i)}) + Load(1, kF32, {VarRef(i) + Int(1)})}};
  const Stmt copy_stmt =
      MakeStmt(Loop{j_loop, Int(0), Int(fused ? 2 : 5), LoopKind::kSerial, MakeStmt(std::move(copy))});
  const Stmt add_stmt = MakeStmt(std::move(add));
  nest.run = fused ? MakeStmt(Loop{i_loop, Int(0), Int(4), kind, MakeSeq({copy_stmt, add_stmt})})
                   : MakeSeq({copy_stmt, MakeStmt(Loop{i_loop, Int(0), Int(4), kind, add_stmt})});
  return nest;
}

const Buffers kTapInputs = {{"in", {1, 2, 4, 8, 16}}};

TEST(InterpreterTest, GivesTheSameValuesInEveryOrderOfAParallelLoop) {
  for (const bool fused : {false, true}) {
    for (const IterationOrder order : {IterationOrder::kForward, IterationOrder::kReverse, IterationOrder::kShuffled}) {
      const absl::StatusOr<Buffers> outputs = Interpret(TwoTaps(fused, LoopKind::kParallel), kTapInputs, {order});
      ASSERT_TRUE(outputs.ok()) << outputs.status();
      EXPECT_THAT(outputs->at("out"), ElementsAre(3, 6, 12, 24));
    }
  }
}

TEST(InterpreterTest, ForgetsTemporariesAtEachEntryOfTheStatementThatHoldsTheirUses) {
  LoopNest nest = TwoTaps(/*fused=*/true, LoopKind::kSerial);
  // Only one new element per iteration: right only if the other one survived from the iteration before.
  const Path path = FindLoop(nest, "j").value();
  Loop loop = *As<Loop>(path.target());
  loop.begin = Int(1);
  loop.extent = Int(1);
  nest = ReplaceTarget(nest, path, MakeStmt(std::move(loop)));
  EXPECT_THAT(Interpret(nest, kTapInputs).status().message(), HasSubstr("block add(vi=0): read of undefined t[0]"));
}

TEST(InterpreterTest, FindsTasksThatRace) {
  LoopNest nest = TwoTaps(/*fused=*/true, LoopKind::kParallel);
  // With a use outside, the temporary is shared by the tasks, which write overlapping parts.
  Block last;
  last.name = "last";
  last.body = {{2, {Int(0)}, StoreOp::kAssign, Load(1, kF32, {Int(0)})}};
  nest.run = MakeSeq({nest.run, MakeStmt(std::move(last))});
  EXPECT_THAT(Interpret(nest, kTapInputs).status().message(), HasSubstr("parallel tasks race for t[1]"));
}

TEST(InterpreterTest, RunsInitAtTheStartOfAReductionWhateverTheGuard) {
  LoopNest nest;
  nest.name = "sum";
  nest.buffers = {{"in", kF32, {4}, Role::kInput}, {"out", kF32, {2}, Role::kOutput}};
  const Var i_loop = MakeVar("i");
  const Var r_loop = MakeVar("r");
  const Var i = MakeVar("vi");
  const Var r = MakeVar("vr");
  Block block;
  block.name = "sum";
  block.iters = {{i, IterKind::kSpatial, 2, VarRef(i_loop)}, {r, IterKind::kReduction, 4, VarRef(r_loop)}};
  block.guard = {Less(VarRef(i) + Int(1), VarRef(r))};
  block.init = {{1, {VarRef(i)}, StoreOp::kAssign, Zero(kF32)}};
  block.body = {{1, {VarRef(i)}, StoreOp::kAdd, Load(0, kF32, {VarRef(r)})}};
  nest.run = MakeStmt(Loop{i_loop, Int(0), Int(2), LoopKind::kSerial,
                           MakeStmt(Loop{r_loop, Int(0), Int(4), LoopKind::kSerial, MakeStmt(std::move(block))})});
  const absl::StatusOr<Buffers> outputs = Interpret(nest, {{"in", {1, 2, 4, 8}}});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(outputs->at("out"), ElementsAre(12, 8));
}

TEST(InterpreterTest, RunsPrepareBeforeRunAndHonoursIfs) {
  LoopNest nest;
  nest.name = "packed";
  nest.buffers = {
      {"w", kF32, {3}, Role::kConstant}, {"p", kF32, {3}, Role::kPrepared}, {"out", kF32, {3}, Role::kOutput}};
  const Var a = MakeVar("a");
  const Var b = MakeVar("b");
  const auto store = [](std::string name, int buffer, const Expr& index, const Expr& value) {
    Block block;
    block.name = std::move(name);
    block.body = {{buffer, {index}, StoreOp::kAssign, value}};
    return MakeStmt(std::move(block));
  };
  nest.prepare = MakeStmt(
      Loop{a, Int(0), Int(3), LoopKind::kSerial, store("pack", 1, VarRef(a), Load(0, kF32, {Int(2) - VarRef(a)}))});
  nest.run = MakeStmt(Loop{b, Int(0), Int(3), LoopKind::kSerial,
                           MakeSeq({store("copy", 2, VarRef(b), Load(1, kF32, {VarRef(b)})),
                                    MakeStmt(If{Less(VarRef(b), Int(1)), store("clear", 2, VarRef(b), Zero(kF32))})})});
  const absl::StatusOr<Buffers> outputs = Interpret(nest, {{"w", {1, 2, 3}}});
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_THAT(outputs->at("out"), ElementsAre(0, 2, 1));
}

TEST(InterpreterTest, RefusesMissingInputs) {
  EXPECT_EQ(Interpret(TwoTaps(false, LoopKind::kSerial), {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(RandomNestTest, NestsAreValidRunAndStayExact) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 500; ++i) {
    const LoopNest nest = RandomNest(random);
    ASSERT_TRUE(Validate(nest).ok()) << Validate(nest) << "\n" << Print(nest);
    const absl::StatusOr<Buffers> outputs = Interpret(nest, RandomInputs(nest, random));
    ASSERT_TRUE(outputs.ok()) << outputs.status() << "\n" << Print(nest);
    for (const double value : outputs->at("out")) ASSERT_LT(std::abs(value), 1 << 24) << Print(nest);
  }
}

}  // namespace
}  // namespace tunefleet::codegen
