#include "codegen/ir/printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/codegen/ir/sample_nests.h"

namespace tunefleet::codegen {
namespace {

TEST(PrinterTest, PrintsAWholeNest) {
  EXPECT_EQ(Print(PaddedConvolution()), R"(nest conv1d:
  data: float32[9] input global
  weight: float32[3] constant global
  packed: float32[3] prepared global
  acc: float32[9] temporary local row_padding 1
  out: float32[9] output global
prepare:
  for p in [0, 3) serial:
    block pack(vp: spatial[3] = p)
      reads weight[2 - vp]
      writes packed[vp]
      do:
        packed[vp] = weight[2 - vp]
run:
  for x.o in [0, 3) parallel:
    for k in [0, 3) serial:
      for x.i in [0, 4) vectorized:
        block conv(vx: spatial[9] = x.o*4 + x.i, vk: reduction[3] = k) where x.o*4 + x.i < 9 guard 0 <= vx + vk - 1, vx + vk - 1 < 9
          reads data[vx + vk - 1], packed[vk]
          writes acc[vx]
          init:
            acc[vx] = 0.0f
          do:
            acc[vx] += data[vx + vk - 1]*packed[vk]
  for y in [0, 9) serial:
    block relu(vy: spatial[9] = y)
      reads acc[vy]
      writes out[vy]
      do:
        out[vy] = max(acc[vy], 0.0f)
)");
}

TEST(PrinterTest, PrintsTheContentsOfLiterals) {
  LoopNest nest = PaddedConvolution();
  nest.buffers[1].role = Role::kLiteral;
  nest.buffers[1].literal = {0.5, -1, 0.1};
  EXPECT_THAT(Print(nest), testing::HasSubstr("  weight: float32[3] literal global = {0.5, -1, 0.1}\n"));
}

TEST(PrinterTest, EqualNestsPrintEqual) { EXPECT_EQ(Print(PaddedConvolution()), Print(PaddedConvolution())); }

TEST(PrinterTest, PrintsIfsAndLoopBoundsOverOuterLoops) {
  const Var i = MakeVar("i");
  const Var j = MakeVar("j");
  Block block;
  block.name = "b";
  block.scope = ExecutionScope::kWarp;
  block.body = {{0, {VarRef(j)}, StoreOp::kMax, Load(0, ScalarType::kInt32, {VarRef(i)})}};
  LoopNest nest;
  nest.buffers = {{"buf", ScalarType::kInt32, {8}, Role::kOutput}};
  const Stmt stmt = MakeStmt(Loop{i, Int(1), Int(3), LoopKind::kUnrolled,
                                  MakeStmt(Loop{j, VarRef(i), Min(Int(4), Int(8) - VarRef(i)), LoopKind::kThreadX,
                                                MakeStmt(If{Less(VarRef(i), VarRef(j)), MakeStmt(block)})})});
  EXPECT_EQ(Print(nest, stmt), R"(for i in [1, 4) unrolled:
  for j in [i, i + min(8 - i, 4)) thread.x:
    if i < j:
      block b() scope warp
        do:
          buf[j] max= buf[i]
)");
}

TEST(PrinterTest, ParenthesesAppearWhereTheyAreNeeded) {
  const Expr a = VarRef(MakeVar("a"));
  const Expr b = VarRef(MakeVar("b"));
  const LoopNest nest;
  EXPECT_EQ(Print(nest, (a + b) * Int(2)), "(a + b)*2");
  EXPECT_EQ(Print(nest, a - (b - Int(1))), "a - (b - 1)");
  EXPECT_EQ(Print(nest, (a - b) - Int(1)), "a - b - 1");
  EXPECT_EQ(Print(nest, FloorDiv(a * Int(3), Int(2))), "a*3 // 2");
  EXPECT_EQ(Print(nest, a * FloorDiv(b, Int(2))), "a*(b // 2)");
  EXPECT_EQ(Print(nest, FloorMod(FloorDiv(a, Int(4)), Int(2))), "a // 4 % 2");
  EXPECT_EQ(Print(nest, a * Int(-1)), "a*(-1)");
  EXPECT_EQ(Print(nest, And(Less(a, b), Binary(BinaryOp::kOr, Equal(a, b), LessEqual(b, Int(-3))))),
            "a < b && (a == b || b <= -3)");
}

TEST(PrinterTest, ConstantsReadBackAsTheyWere) {
  const LoopNest nest;
  EXPECT_EQ(Print(nest, Float(0.1, ScalarType::kFloat32)), "0.1f");
  EXPECT_EQ(Print(nest, Float(0.1, ScalarType::kFloat64)), "0.1");
  EXPECT_EQ(Print(nest, Float(-2, ScalarType::kFloat64)), "-2.0");
  EXPECT_EQ(Print(nest, Float(-std::numeric_limits<double>::infinity(), ScalarType::kFloat32)), "-inff");
  EXPECT_EQ(Print(nest, Zero(ScalarType::kInt8)), "0i8");
  EXPECT_EQ(Print(nest, Cast(ScalarType::kInt32, Load(0, ScalarType::kInt8, {Int(1)}))), "cast<int32>(buffer#0[1])");
  EXPECT_EQ(Print(nest, Bool(true)), "true");
}

}  // namespace
}  // namespace tunefleet::codegen
