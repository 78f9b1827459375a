#include "codegen/ir/expr.h"

#include <gtest/gtest.h>

#include <limits>

namespace tunefleet::codegen {
namespace {

constexpr ScalarType kF32 = ScalarType::kFloat32;

TEST(ExprTest, FactoriesDropNeutralOperandsOfIndices) {
  const Expr x = VarRef(MakeVar("x"));
  for (const Expr& expr :
       {x + Int(0), Int(0) + x, x - Int(0), x * Int(1), Int(1) * x, FloorDiv(x, Int(1)), Min(x, x), Max(x, x),
        Cast(ScalarType::kIndex, x), Select(Bool(true), x, Int(3)), Select(Bool(false), Int(3), x)}) {
    EXPECT_EQ(expr, x);
  }
  EXPECT_EQ(ConstantInt(x * Int(0)), 0);
  EXPECT_EQ(ConstantInt(x - x), 0);
  EXPECT_EQ(ConstantInt(FloorMod(x, Int(1))), 0);
  EXPECT_EQ(ConstantInt(Less(x, x)), 0);
  EXPECT_EQ(ConstantInt(LessEqual(x, x)), 1);
  const Expr condition = Less(x, Int(3));
  EXPECT_EQ(And(condition, Bool(true)), condition);
  EXPECT_EQ(ConstantInt(And(condition, Bool(false))), 0);
}

TEST(ExprTest, FactoriesFoldConstants) {
  EXPECT_EQ(ConstantInt(FloorDiv(Int(-7), Int(2))), -4);
  EXPECT_EQ(ConstantInt(FloorMod(Int(-7), Int(2))), 1);
  EXPECT_EQ(ConstantInt(Min(Int(3), Int(-2))), -2);
  EXPECT_EQ(ConstantInt(Less(Int(3), Int(4))), 1);
  EXPECT_EQ((Float(1, kF32) + Float(0.1, kF32))->float_value, 1.0f + 0.1f);
}

TEST(ExprTest, FoldingStopsWhereAConstantWouldNotFit) {
  const int64_t huge = std::numeric_limits<int64_t>::max();
  EXPECT_FALSE(ConstantInt(Int(huge) + Int(1)).has_value());
  EXPECT_FALSE(ConstantInt(Int(huge) * Int(2)).has_value());
  EXPECT_FALSE(ConstantInt(FloorDiv(Int(1), Int(0))).has_value());
  EXPECT_FALSE(ConstantInt(FloorDiv(Int(-huge - 1), Int(-1))).has_value());
  const Expr byte = Cast(ScalarType::kInt8, Int(100));
  EXPECT_EQ(ConstantInt(byte), 100);
  EXPECT_FALSE(ConstantInt(byte + byte).has_value());
}

TEST(ExprTest, FloatsKeepWhatChangesAValue) {
  const Expr x = Load(0, kF32, {Int(0)});
  EXPECT_EQ(x * Float(1, kF32), x);
  EXPECT_EQ(x - Float(0, kF32), x);
  EXPECT_NE(x + Float(0, kF32), x);  // -0 + 0 is 0
  EXPECT_EQ((x * Float(0, kF32))->kind, ExprKind::kBinary);
  EXPECT_EQ((x - x)->kind, ExprKind::kBinary);
}

TEST(ExprTest, SubstituteSharesWhatItDoesNotTouch) {
  const Var x = MakeVar("x");
  const Var y = MakeVar("y");
  const Expr left = VarRef(x) * Int(2);
  const Expr right = FloorMod(VarRef(y), Int(4));
  const Expr sum = left + right;
  EXPECT_EQ(Substitute(sum, {{MakeVar("x"), Int(3)}}), sum);
  const Expr substituted = Substitute(sum, {{y, VarRef(x)}});
  EXPECT_EQ(substituted->operands[0], left);
  EXPECT_TRUE(StructurallyEqual(substituted, left + FloorMod(VarRef(x), Int(4))));
  EXPECT_EQ(ConstantInt(Substitute(sum, {{x, Int(3)}, {y, Int(5)}})), 7);
}

TEST(ExprTest, VariablesAreEqualByIdentityOnly) {
  EXPECT_FALSE(StructurallyEqual(VarRef(MakeVar("x")), VarRef(MakeVar("x"))));
  const Var x = MakeVar("x");
  EXPECT_TRUE(StructurallyEqual(VarRef(x) + Int(1), VarRef(x) + Int(1)));
  EXPECT_FALSE(StructurallyEqual(VarRef(x) + Int(1), VarRef(x) + Int(2)));
  EXPECT_FALSE(StructurallyEqual(Load(0, kF32, {VarRef(x)}), Load(1, kF32, {VarRef(x)})));
}

TEST(ExprTest, RewriteSeesOperandsFirst) {
  const Var x = MakeVar("x");
  const Expr expr = Load(0, kF32, {VarRef(x) + Int(1)}) * Load(1, kF32, {VarRef(x)});
  const Expr rewritten = Rewrite(expr, [&](const Expr& node) {
    if (node->kind == ExprKind::kVar) return Int(2);
    if (node->kind == ExprKind::kLoad && ConstantInt(node->operands[0]) == 3) return Float(5, kF32);
    return node;
  });
  EXPECT_TRUE(StructurallyEqual(rewritten, Float(5, kF32) * Load(1, kF32, {Int(2)})));
}

TEST(ExprTest, VisitSeesParentsFirst) {
  const Var x = MakeVar("x");
  std::vector<ExprKind> kinds;
  Visit(Select(Less(VarRef(x), Int(1)), Int(2), VarRef(x)), [&](const Expr& node) { kinds.push_back(node->kind); });
  EXPECT_EQ(kinds, (std::vector<ExprKind>{ExprKind::kSelect, ExprKind::kBinary, ExprKind::kVar, ExprKind::kInt,
                                          ExprKind::kInt, ExprKind::kVar}));
  EXPECT_TRUE(UsesVar(Load(0, kF32, {Int(3) - VarRef(x)}), x));
  EXPECT_FALSE(UsesVar(VarRef(MakeVar("x")), x));
}

}  // namespace
}  // namespace tunefleet::codegen
