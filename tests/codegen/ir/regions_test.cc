#include <gtest/gtest.h>

#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/loop_nest.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/tree.h"
#include "tests/codegen/interpreter/random_nest.h"
#include "tests/codegen/ir/random_expr.h"

namespace tunefleet::codegen {
namespace {

// Every element that a block touches at any point of its domain lies in its regions there.
TEST(RegionsTest, HoldEveryAccessOfRandomBlocks) {
  for (int i = 0; i < 1000; ++i) {
    RandomExprs exprs(i);
    LoopNest nest;
    nest.buffers = {{"in", ScalarType::kFloat32, {1000}, Role::kInput},
                    {"out", ScalarType::kFloat32, {1000}, Role::kOutput}};
    // Iterators start at 0, the random expressions' variables do not: write them shifted.
    Block block;
    VarMap shifted;
    std::vector<std::pair<Var, Var>> iters;
    for (const auto& [var, range] : exprs.ranges()) {
      const Var iter = MakeVar(var->name);
      block.iters.push_back({iter, IterKind::kSpatial, range.max - range.min + 1, Int(0)});
      shifted[var] = VarRef(iter) + Int(range.min);
      iters.emplace_back(var, iter);
    }
    std::vector<Expr> indices;
    for (int access = 0; access < 3; ++access) {
      indices.push_back(exprs.Index(1 + i % 3));
      const Expr index = Substitute(indices.back(), shifted);
      block.body.push_back({1, {index}, StoreOp::kAssign, Load(0, ScalarType::kFloat32, {index})});
    }
    const Block result = WithInferredRegions(nest, std::move(block));
    for (const std::vector<BufferRegion>* regions : {&result.reads, &result.writes}) {
      ASSERT_EQ(regions->size(), 1u);
      const Range& range = regions->at(0).ranges.at(0);
      exprs.ForEachPoint([&](const Point& point) {
        Point at_iters;
        for (const auto& [var, iter] : iters) at_iters[iter] = point.at(var) - exprs.ranges().at(var).min;
        const int64_t begin = ValueAt(range.begin, at_iters);
        for (const Expr& index : indices) {
          ASSERT_LE(begin, ValueAt(index, point)) << Print(nest, index);
          ASSERT_LT(ValueAt(index, point), begin + range.extent) << Print(nest, index);
        }
      });
      if (HasFatalFailure()) return;
    }
  }
}

TEST(RegionsTest, OfSingleAccessesAreTheAccess) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 300; ++i) {
    const LoopNest nest = RandomNest(random);
    for (const Block* block : BlocksIn(nest.run)) {
      ASSERT_EQ(block->writes.size(), 1u);
      for (size_t d = 0; d < block->writes[0].ranges.size(); ++d) {
        EXPECT_EQ(block->writes[0].ranges[d].extent, 1);
        EXPECT_EQ(block->writes[0].ranges[d].begin, block->body[0].indices[d]);
      }
    }
  }
}

class InferredRegionTest : public ::testing::Test {
 protected:
  // The region of buffer 0 (100 elements) read by a block over i in [0, 4) and j in [0, 10).
  std::string Region(const std::vector<Expr>& indices) {
    LoopNest nest;
    nest.buffers = {{"in", ScalarType::kFloat32, {100}, Role::kInput},
                    {"out", ScalarType::kFloat32, {1}, Role::kOutput}};
    Block block;
    block.iters = {{i_, IterKind::kSpatial, 4, Int(0)}, {j_, IterKind::kReduction, 10, Int(0)}};
    for (const Expr& index : indices) {
      block.body.push_back({1, {Int(0)}, StoreOp::kAssign, Load(0, ScalarType::kFloat32, {index})});
    }
    const Block with_regions = WithInferredRegions(nest, std::move(block));
    const Range& range = with_regions.reads.at(0).ranges.at(0);
    return absl::StrCat(Print(nest, range.begin), " :+ ", range.extent);
  }

  const Var i_ = MakeVar("i");
  const Var j_ = MakeVar("j");
  const Expr i = VarRef(i_);
  const Expr j = VarRef(j_);
};

TEST_F(InferredRegionTest, AreTheUnionOfAccesses) {
  EXPECT_EQ(Region({i}), "i :+ 1");
  EXPECT_EQ(Region({i + Int(1), i - Int(1), i}), "i - 1 :+ 3");
  EXPECT_EQ(Region({i * Int(2) + j, i * Int(2) + j + Int(5)}), "i*2 + j :+ 6");
  EXPECT_EQ(Region({i, Int(2)}), "0 :+ 4");
  EXPECT_EQ(Region({j + i, j + i * Int(2)}), "j + i :+ 4");
  EXPECT_EQ(Region({j + i * Int(2), j}), "j + i*2 - 6 :+ 7");
}

TEST_F(InferredRegionTest, AreTheWholeBufferWhereAnIndexIsALoad) {
  EXPECT_EQ(Region({Cast(ScalarType::kIndex, Load(1, ScalarType::kFloat32, {Int(0)}))}), "0 :+ 100");
}

}  // namespace
}  // namespace tunefleet::codegen
