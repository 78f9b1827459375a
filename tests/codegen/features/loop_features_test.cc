#include "codegen/features/loop_features.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "codegen/features/loop_outline.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tunefleet::codegen {
namespace {

using ::testing::ElementsAre;

constexpr ScalarType kF32 = ScalarType::kFloat32;

// for i in 4, for k in 8, for j in 16 (vectorized): c[i, j] += a[i, k] * b[k, j]
LoopNest SmallMatmul() {
  LoopNest nest;
  nest.name = "small";
  nest.buffers = {{.name = "a", .shape = {4, 8}, .role = Role::kInput},
                  {.name = "b", .shape = {8, 16}, .role = Role::kInput},
                  {.name = "c", .shape = {4, 16}, .role = Role::kOutput}};
  const Var i = MakeVar("i");
  const Var k = MakeVar("k");
  const Var j = MakeVar("j");
  Block block;
  block.name = "matmul";
  const Var vi = MakeVar("vi");
  const Var vk = MakeVar("vk");
  const Var vj = MakeVar("vj");
  block.iters = {{vi, IterKind::kSpatial, 4, VarRef(i)},
                 {vk, IterKind::kReduction, 8, VarRef(k)},
                 {vj, IterKind::kSpatial, 16, VarRef(j)}};
  block.init = {{2, {VarRef(vi), VarRef(vj)}, StoreOp::kAssign, Zero(kF32)}};
  block.body = {{2,
                 {VarRef(vi), VarRef(vj)},
                 StoreOp::kAdd,
                 Load(0, kF32, {VarRef(vi), VarRef(vk)}) * Load(1, kF32, {VarRef(vk), VarRef(vj)})}};
  Stmt stmt = MakeStmt(WithInferredRegions(nest, std::move(block)));
  stmt = MakeStmt(Loop{j, Int(0), Int(16), LoopKind::kVectorized, stmt});
  stmt = MakeStmt(Loop{k, Int(0), Int(8), LoopKind::kSerial, stmt});
  nest.run = MakeStmt(Loop{i, Int(0), Int(4), LoopKind::kSerial, stmt});
  return nest;
}

float FeatureOf(const std::vector<float>& features, const std::string& name) {
  const auto at = std::find(FeatureNames().begin(), FeatureNames().end(), name);
  EXPECT_NE(at, FeatureNames().end()) << name;
  return at == FeatureNames().end() ? -1 : features[at - FeatureNames().begin()];
}

TEST(LoopOutlineTest, HoldsLoopsAndStrides) {
  const LoopOutline outline = OutlineOf(SmallMatmul());
  ASSERT_EQ(outline.loops.size(), 3);
  EXPECT_EQ(outline.loops[1].name, "k");
  EXPECT_EQ(outline.loops[1].extent, 8);
  EXPECT_EQ(outline.loops[2].kind, LoopKind::kVectorized);
  ASSERT_EQ(outline.blocks.size(), 1);
  EXPECT_THAT(outline.blocks[0].loops, ElementsAre(0, 1, 2));
  const std::vector<OutlineAccess>& accesses = outline.blocks[0].accesses;
  ASSERT_EQ(accesses.size(), 3);  // c, a, b
  EXPECT_TRUE(accesses[0].write);
  EXPECT_THAT((std::vector<double>{accesses[0].Stride(0), accesses[0].Stride(1), accesses[0].Stride(2)}),
              ElementsAre(16, 0, 1));
  EXPECT_THAT((std::vector<double>{accesses[1].Stride(0), accesses[1].Stride(1), accesses[1].Stride(2)}),
              ElementsAre(8, 1, 0));
  EXPECT_THAT((std::vector<double>{accesses[2].Stride(0), accesses[2].Stride(1), accesses[2].Stride(2)}),
              ElementsAre(0, 16, 1));
}

TEST(LoopOutlineTest, FusedLoopsMoveByParts) {
  LoopNest nest;
  nest.name = "fused";
  nest.buffers = {{.name = "out", .shape = {6, 7}, .role = Role::kOutput}};
  const Var f = MakeVar("f");
  Block block;
  block.name = "fill";
  const Var y = MakeVar("y");
  const Var x = MakeVar("x");
  block.iters = {{y, IterKind::kSpatial, 6, FloorDiv(VarRef(f), Int(7))},
                 {x, IterKind::kSpatial, 7, FloorMod(VarRef(f), Int(7))}};
  block.body = {{0, {VarRef(y), VarRef(x)}, StoreOp::kAssign, Zero(kF32)}};
  nest.run = MakeStmt(Loop{f, Int(0), Int(42), LoopKind::kSerial, MakeStmt(std::move(block))});
  const LoopOutline outline = OutlineOf(nest);
  EXPECT_DOUBLE_EQ(outline.blocks[0].accesses[0].steps[0][0], 1.0 / 7);
  EXPECT_DOUBLE_EQ(outline.blocks[0].accesses[0].steps[0][1], 1.0);
  const std::vector<LoopContext> contexts = LoopContexts(outline);
  EXPECT_DOUBLE_EQ(contexts[0].buffers[0].elements, 42);
}

TEST(LoopContextsTest, MatchHandComputedValues) {
  const std::vector<LoopContext> contexts = LoopContexts(OutlineOf(SmallMatmul()));
  ASSERT_EQ(contexts.size(), 3);
  const LoopContext& i = contexts[0];
  EXPECT_EQ(i.top_down, 1);
  EXPECT_EQ(i.bottom_up, 4 * 8 * 16);
  EXPECT_EQ(i.buffers[0].elements, 4 * 16);
  EXPECT_EQ(i.buffers[1].elements, 4 * 8);
  EXPECT_EQ(i.buffers[2].elements, 8 * 16);
  EXPECT_EQ(i.buffers[0].reuse, 8);
  EXPECT_EQ(i.buffers[2].stride, 0);
  EXPECT_EQ(i.touched_bytes, 4 * (64 + 32 + 128));
  const LoopContext& k = contexts[1];
  EXPECT_EQ(k.extent, 8);
  EXPECT_EQ(k.top_down, 4);
  EXPECT_EQ(k.bottom_up, 128);
  EXPECT_EQ(k.buffers[0].elements, 16);
  EXPECT_EQ(k.buffers[1].elements, 8);
  EXPECT_EQ(k.buffers[1].reuse, 16);
  EXPECT_EQ(k.buffers[2].elements, 128);
  EXPECT_EQ(k.buffers[2].stride, 16);
  const LoopContext& j = contexts[2];
  EXPECT_EQ(j.kind, LoopKind::kVectorized);
  EXPECT_EQ(j.top_down, 32);
  EXPECT_EQ(j.buffers[1].elements, 1);
  EXPECT_EQ(j.touched_bytes, 4 * (16 + 1 + 16));
}

TEST(FixedFeaturesTest, RelationsAreMaximaBelowTheThreshold) {
  const std::vector<float> features = FixedFeatures(OutlineOf(SmallMatmul()));
  ASSERT_EQ(features.size(), FeatureNames().size());
  // Loop j touches 132 bytes, k 608, i 896.
  EXPECT_EQ(FeatureOf(features, "extent|touched_bytes<2^6"), 0);
  EXPECT_FLOAT_EQ(FeatureOf(features, "extent|touched_bytes<2^8"), std::log2(17.0F));
  EXPECT_FLOAT_EQ(FeatureOf(features, "buffer1.reuse|touched_bytes<2^8"), std::log2(17.0F));
  EXPECT_FLOAT_EQ(FeatureOf(features, "top_down|touched_bytes<2^10"), std::log2(33.0F));
  EXPECT_FLOAT_EQ(FeatureOf(features, "buffer2.elements|touched_bytes<2^10"), std::log2(129.0F));
  EXPECT_EQ(FeatureOf(features, "vectorized|bottom_up<2^4"), 0);
  EXPECT_EQ(FeatureOf(features, "vectorized|bottom_up<2^6"), 1);
  EXPECT_FLOAT_EQ(FeatureOf(features, "total.iterations"), std::log2(513.0F));
  EXPECT_FLOAT_EQ(FeatureOf(features, "total.heaviest_vectorized"), std::log2(17.0F));
}

TEST(FixedFeaturesTest, LengthDoesNotDependOnTheProgram) {
  EXPECT_EQ(FixedFeatures(LoopOutline()).size(), FeatureNames().size());
  EXPECT_EQ(ContextValues(LoopContext()).size(), ContextNames().size());
}

}  // namespace
}  // namespace tunefleet::codegen
