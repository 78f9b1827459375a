#include "codegen/ir/interval.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "codegen/ir/printer.h"
#include "tests/codegen/ir/random_expr.h"

namespace tunefleet::codegen {
namespace {

std::string Text(const Expr& expr) { return Print(LoopNest{}, expr); }

class SimplifyTest : public ::testing::Test {
 protected:
  Expr V(const std::string& name, int64_t min, int64_t max) {
    const Var var = MakeVar(name);
    ranges_[var] = {min, max};
    return VarRef(var);
  }
  std::string Simplified(const Expr& expr) const { return Text(Simplify(expr, ranges_)); }

  VarRanges ranges_;
};

TEST_F(SimplifyTest, TakesBlockedChannelsApart) {
  const Expr co_o = V("co_o", 0, 3);
  const Expr co_i = V("co_i", 0, 1);
  const Expr c = V("c", 0, 15);
  const Expr channel = (co_o * Int(2) + co_i) * Int(16) + c;
  EXPECT_EQ(Simplified(channel), "co_o*32 + co_i*16 + c");
  EXPECT_EQ(Simplified(FloorDiv(channel, Int(16))), "co_o*2 + co_i");
  EXPECT_EQ(Simplified(FloorMod(channel, Int(16))), "c");
  EXPECT_EQ(Simplified(FloorDiv(channel, Int(32))), "co_o");
  EXPECT_EQ(Simplified(FloorMod(channel, Int(32))), "co_i*16 + c");
  EXPECT_EQ(Simplified(FloorMod(FloorDiv(channel, Int(16)), Int(2))), "co_i");
  EXPECT_EQ(Simplified(FloorDiv(FloorMod(channel, Int(32)), Int(16))), "co_i");
}

TEST_F(SimplifyTest, CollectsTapIndices) {
  const Expr x = V("x", 0, 3);
  const Expr y = V("y", 0, 13);
  const Expr kw = V("kw", 0, 2);
  EXPECT_EQ(Simplified((x * Int(14) + y + kw - Int(1)) - (x * Int(14) + y)), "kw - 1");
  EXPECT_EQ(Simplified(kw + (y + x * Int(14)) - Int(1) + kw), "kw*2 + y + x*14 - 1");
}

TEST_F(SimplifyTest, ProvesTailPredicatesByRanges) {
  const Expr io = V("io", 0, 7);
  const Expr ii = V("ii", 0, 6);
  EXPECT_TRUE(ProvablyTrue(Less(io * Int(7) + ii, Int(56)), ranges_));
  EXPECT_FALSE(ProvablyTrue(Less(io * Int(7) + ii, Int(55)), ranges_));
  EXPECT_TRUE(ProvablyFalse(LessEqual(Int(56), io * Int(7) + ii), ranges_));
  EXPECT_EQ(Simplified(Less(io * Int(7) + ii, Int(49))), "io < 7");
  EXPECT_EQ(Simplified(Less(io * Int(7) + ii, Int(50))), "io*7 + ii < 50");
}

TEST_F(SimplifyTest, UndoesAFusedLoop) {
  const Expr f = V("f", 0, 895);
  const Expr parts =
      FloorDiv(f, Int(128)) * Int(128) + FloorMod(FloorDiv(f, Int(16)), Int(8)) * Int(16) + FloorMod(f, Int(16));
  EXPECT_EQ(Simplified(parts), "f");
  EXPECT_EQ(Simplified(f - FloorDiv(f, Int(16)) * Int(16)), "f % 16");
  EXPECT_EQ(Simplified(FloorMod(FloorDiv(f, Int(128)), Int(7))), "f // 128");
}

TEST_F(SimplifyTest, MergesNestedDivisionsAndRemainders) {
  const Expr a = V("a", -100, 1000);
  EXPECT_EQ(Simplified(FloorDiv(FloorDiv(a, Int(3)), Int(5))), "a // 15");
  EXPECT_EQ(Simplified(FloorMod(FloorMod(a, Int(12)), Int(4))), "a % 4");
  EXPECT_EQ(Simplified(FloorDiv(FloorMod(a, Int(12)), Int(4))), "a // 4 % 3");
  EXPECT_EQ(Simplified(FloorDiv(FloorMod(a, Int(12)), Int(12))), "0");
  EXPECT_EQ(Simplified(FloorDiv(a * Int(6) + Int(3), Int(4))), "(a*3 + 1) // 2");
  EXPECT_EQ(Simplified(FloorMod(a * Int(6), Int(4))), "a % 2*2");
  EXPECT_EQ(Simplified(FloorDiv(a + Int(33), Int(16))), "(a + 1) // 16 + 2");
}

TEST_F(SimplifyTest, DecidesMinAndMaxByBounds) {
  const Expr a = V("a", 0, 7);
  const Expr b = V("b", 8, 9);
  EXPECT_EQ(Simplified(Min(a, b)), "a");
  EXPECT_EQ(Simplified(Max(a, b)), "b");
  EXPECT_EQ(Simplified(Min(a, Int(9))), "a");
  EXPECT_EQ(Simplified(Min(a + b, b)), "b");
  EXPECT_EQ(Simplified(Min(Min(a, Int(5)), Int(3))), "min(a, 3)");
  EXPECT_TRUE(ProvablyTrue(LessEqual(Min(a * Int(3), b), b), ranges_));
  EXPECT_TRUE(ProvablyTrue(LessEqual(a * Int(16) + Min(Int(16), Int(100) - a * Int(16)), Int(100)), ranges_));
}

TEST_F(SimplifyTest, CancelsTermsInComparisons) {
  const Expr a = V("a", 0, 1 << 20);
  const Expr b = V("b", 0, 1 << 20);
  EXPECT_EQ(Simplified(Less(a + b, a + b + Int(1))), "true");
  EXPECT_EQ(Simplified(Less(a * Int(2) + b, b + a)), "false");
  EXPECT_EQ(Simplified(Less(Int(0), a - Int(1) + b - b)), "2 <= a");
  EXPECT_EQ(Simplified(LessEqual(a * Int(4), b * Int(4) + Int(7))), "a < b + 2");
  EXPECT_EQ(Simplified(Less(FloorDiv(a, Int(16)), Int(3))), "a < 48");
  EXPECT_EQ(Simplified(LessEqual(Int(3), FloorDiv(a, Int(16)))), "48 <= a");
  EXPECT_EQ(Simplified(Equal(a * Int(2), b * Int(2) + Int(1))), "false");
  EXPECT_EQ(Simplified(Equal(a * Int(2), b * Int(2) + Int(4))), "a == b + 2");
}

TEST_F(SimplifyTest, ChoosesTheProvenBranchOfASelect) {
  const Expr a = V("a", 0, 7);
  EXPECT_EQ(Simplified(Select(Less(a, Int(8)), a + Int(1), a)), "a + 1");
  EXPECT_EQ(Simplified(Select(Less(a, Int(0)), a + Int(1), a)), "a");
  EXPECT_EQ(Simplified(Select(Less(a, Int(4)), a + a, a * Int(2))), "a*2");
}

TEST_F(SimplifyTest, ReplacesVariablesOfASingleValue) {
  const Expr a = V("a", 3, 3);
  const Expr b = V("b", 0, 7);
  EXPECT_EQ(Simplified(a * Int(8) + b), "b + 24");
}

TEST_F(SimplifyTest, ReturnsTheArgumentWhenNothingChanges) {
  const Expr a = V("a", 0, 7);
  const Expr b = V("b", 0, 70);
  for (const Expr& expr : {a, a * Int(3) + b, FloorDiv(b, Int(16)), Less(a, b), LessEqual(Int(1), a),
                           Select(Less(a, b), a, b), Load(0, ScalarType::kFloat32, {a, FloorMod(b, Int(16))})}) {
    EXPECT_EQ(Simplify(expr, ranges_), expr) << Text(expr);
  }
}

TEST_F(SimplifyTest, LeavesUnknownVariablesAlone) {
  const Expr a = VarRef(MakeVar("a"));
  EXPECT_EQ(Simplified(FloorDiv(a * Int(16), Int(16))), "a");
  EXPECT_EQ(Simplified(FloorMod(a, Int(16))), "a % 16");
  EXPECT_FALSE(BoundsOf(a, ranges_).has_value());
  EXPECT_FALSE(ProvablyTrue(Less(a, Int(100)), ranges_));
  EXPECT_FALSE(ProvablyFalse(Less(a, Int(100)), ranges_));
}

TEST_F(SimplifyTest, SurvivesValuesPast64Bits) {
  const int64_t huge = std::numeric_limits<int64_t>::max();
  const Expr a = V("a", 0, huge);
  for (const Expr& expr :
       {a * Int(huge) + a * Int(huge), FloorDiv(a * Int(huge), Int(huge)), a - Int(-huge) - Int(-huge),
        FloorMod(a * Int(3) + Int(huge), Int(7)), Int(-huge - 1) * Int(-1) + a}) {
    Simplify(expr, ranges_);
    ProvablyTrue(Less(expr, a), ranges_);
    BoundsOf(expr, ranges_);
  }
  EXPECT_FALSE(BoundsOf(a + Int(1), ranges_).has_value());
  EXPECT_FALSE(ProvablyTrue(Less(a + a, a + a + a), ranges_));
}

// Every fact claimed about random expressions holds at every point of the box.
class RandomExprTest : public ::testing::TestWithParam<int> {};

TEST_P(RandomExprTest, SimplifyKeepsTheValueAtEveryPoint) {
  for (int i = 0; i < 500; ++i) {
    RandomExprs exprs(GetParam() * 1000 + i);
    const Expr expr = i % 2 == 0 ? exprs.Index(1 + i % 4) : exprs.Condition(1 + i % 3);
    const Expr simplified = Simplify(expr, exprs.ranges());
    exprs.ForEachPoint([&](const Point& point) {
      ASSERT_EQ(ValueAt(simplified, point), ValueAt(expr, point)) << Text(expr) << "  ->  " << Text(simplified);
    });
    if (HasFatalFailure()) return;
  }
}

TEST_P(RandomExprTest, BoundsHoldAtEveryPoint) {
  for (int i = 0; i < 500; ++i) {
    RandomExprs exprs(GetParam() * 1000 + i);
    const Expr expr = exprs.Index(1 + i % 4);
    const std::optional<Interval> bounds = BoundsOf(expr, exprs.ranges());
    ASSERT_TRUE(bounds.has_value()) << Text(expr);
    exprs.ForEachPoint([&](const Point& point) {
      const int64_t value = ValueAt(expr, point);
      ASSERT_LE(bounds->min, value) << Text(expr);
      ASSERT_GE(bounds->max, value) << Text(expr);
    });
    if (HasFatalFailure()) return;
  }
}

TEST_P(RandomExprTest, ProofsHoldAtEveryPoint) {
  int proven = 0;
  for (int i = 0; i < 500; ++i) {
    RandomExprs exprs(GetParam() * 1000 + i);
    const Expr condition = exprs.Condition(1 + i % 3);
    const bool always = ProvablyTrue(condition, exprs.ranges());
    const bool never = ProvablyFalse(condition, exprs.ranges());
    proven += always || never;
    exprs.ForEachPoint([&](const Point& point) {
      ASSERT_TRUE(!always || ValueAt(condition, point) == 1) << Text(condition);
      ASSERT_TRUE(!never || ValueAt(condition, point) == 0) << Text(condition);
    });
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(proven, 100);
}

TEST_P(RandomExprTest, LinearFormIsEqualAtEveryPoint) {
  for (int i = 0; i < 500; ++i) {
    RandomExprs exprs(GetParam() * 1000 + i);
    const Expr expr = exprs.Index(1 + i % 4);
    const LinearForm form = LinearFormOf(expr);
    const Expr back = ToExpr(form);
    for (size_t t = 0; t < form.terms.size(); ++t) {
      ASSERT_NE(form.terms[t].second, 0);
      for (size_t u = 0; u < t; ++u) ASSERT_FALSE(StructurallyEqual(form.terms[t].first, form.terms[u].first));
    }
    exprs.ForEachPoint([&](const Point& point) {
      int64_t sum = form.constant;
      for (const auto& [atom, coefficient] : form.terms) sum += coefficient * ValueAt(atom, point);
      ASSERT_EQ(sum, ValueAt(expr, point)) << Text(expr);
      ASSERT_EQ(ValueAt(back, point), sum) << Text(expr) << "  ->  " << Text(back);
    });
    if (HasFatalFailure()) return;
  }
}

TEST_P(RandomExprTest, BoundsOfLinearExpressionsAreExact) {
  std::mt19937_64 random(GetParam());
  const auto between = [&random](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  for (int i = 0; i < 200; ++i) {
    RandomExprs exprs(GetParam() * 1000 + i);
    Expr expr = Int(between(-9, 9));
    for (const auto& [var, range] : exprs.ranges()) {
      expr = expr + VarRef(var) * Int(between(-4, 4)) - VarRef(var) * Int(between(-4, 4));
    }
    int64_t low = std::numeric_limits<int64_t>::max();
    int64_t high = std::numeric_limits<int64_t>::min();
    exprs.ForEachPoint([&](const Point& point) {
      low = std::min(low, ValueAt(expr, point));
      high = std::max(high, ValueAt(expr, point));
    });
    const std::optional<Interval> bounds = BoundsOf(expr, exprs.ranges());
    ASSERT_TRUE(bounds.has_value());
    EXPECT_EQ(bounds->min, low) << Text(expr);
    EXPECT_EQ(bounds->max, high) << Text(expr);
  }
}

TEST(BoundsTest, OfRemaindersKnowTheStep) {
  const Var a = MakeVar("a");
  const VarRanges ranges = {{a, {-20, 20}}};
  const auto bounds = [&](int64_t factor, int64_t offset, int64_t divisor) {
    return *BoundsOf(FloorMod(VarRef(a) * Int(factor) + Int(offset), Int(divisor)), ranges);
  };
  EXPECT_EQ(bounds(4, 1, 8).min, 1);
  EXPECT_EQ(bounds(4, 1, 8).max, 5);
  for (int64_t factor = 1; factor < 10; ++factor) {
    for (int64_t offset = -6; offset < 7; ++offset) {
      for (int64_t divisor = 2; divisor < 13; ++divisor) {
        std::set<int64_t> values;
        for (int64_t i = -20; i <= 20; ++i) values.insert(((i * factor + offset) % divisor + divisor) % divisor);
        EXPECT_EQ(bounds(factor, offset, divisor).min, *values.begin()) << factor << " " << offset << " " << divisor;
        EXPECT_EQ(bounds(factor, offset, divisor).max, *values.rbegin()) << factor << " " << offset << " " << divisor;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomExprTest, ::testing::Range(0, 10));

}  // namespace
}  // namespace tunefleet::codegen
