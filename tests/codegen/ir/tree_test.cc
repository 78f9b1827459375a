#include "codegen/ir/tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/ir/printer.h"
#include "tests/codegen/ir/sample_nests.h"

namespace tunefleet::codegen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Names(const std::vector<const Loop*>& loops) {
  std::vector<std::string> names;
  for (const Loop* loop : loops) names.push_back(loop->var->name);
  return names;
}

TEST(TreeTest, FindsLoopsAndBlocksByName) {
  const LoopNest nest = PaddedConvolution();
  const absl::StatusOr<Path> block = FindBlock(nest, "conv");
  ASSERT_TRUE(block.ok());
  EXPECT_FALSE(block->in_prepare);
  EXPECT_EQ(As<Block>(block->target())->name, "conv");
  EXPECT_THAT(Names(block->Loops()), ElementsAre("x.o", "k", "x.i"));
  const absl::StatusOr<Path> loop = FindLoop(nest, "k");
  ASSERT_TRUE(loop.ok());
  EXPECT_THAT(Names(loop->Loops()), ElementsAre("x.o", "k"));
  EXPECT_TRUE(FindBlock(nest, "pack")->in_prepare);
}

TEST(TreeTest, SaysWhatThereIsWhenANameIsUnknown) {
  const LoopNest nest = PaddedConvolution();
  EXPECT_EQ(FindLoop(nest, "z").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(FindLoop(nest, "z").status().message(), HasSubstr("no loop 'z'; there are: p, x.o, k, x.i, y"));
  EXPECT_THAT(FindBlock(nest, "z").status().message(), HasSubstr("no block 'z'; there are: pack, conv, relu"));
}

TEST(TreeTest, ListsInProgramOrder) {
  const LoopNest nest = PaddedConvolution();
  EXPECT_THAT(Names(LoopsIn(nest.run)), ElementsAre("x.o", "k", "x.i", "y"));
  const std::vector<const Block*> blocks = BlocksIn(nest.run);
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0]->name, "conv");
  EXPECT_EQ(blocks[1]->name, "relu");
  EXPECT_TRUE(BlocksIn(nullptr).empty());
}

TEST(TreeTest, ReplacingCopiesThePathOnly) {
  const LoopNest nest = PaddedConvolution();
  const Path path = FindLoop(nest, "k").value();
  const LoopNest replaced = ReplaceTarget(nest, path, MakeStmt(If{Bool(true), path.target()}));
  EXPECT_NE(replaced.run, nest.run);
  EXPECT_EQ(replaced.prepare, nest.prepare);
  EXPECT_EQ(As<Seq>(replaced.run)->stmts[1], As<Seq>(nest.run)->stmts[1]);
  EXPECT_THAT(Print(replaced), HasSubstr("if true"));
  EXPECT_EQ(Print(ReplaceTarget(nest, path, path.target())), Print(nest));
}

TEST(TreeTest, RemovingABlockRemovesTheLoopsThatBecomeEmpty) {
  const LoopNest nest = PaddedConvolution();
  const LoopNest without = ReplaceTarget(nest, FindBlock(nest, "conv").value(), nullptr);
  EXPECT_THAT(Names(LoopsIn(without.run)), ElementsAre("y"));
  EXPECT_EQ(As<Seq>(without.run), nullptr);
  const LoopNest empty = ReplaceTarget(without, FindBlock(without, "relu").value(), nullptr);
  EXPECT_EQ(empty.run, nullptr);
  EXPECT_EQ(ReplaceTarget(nest, FindBlock(nest, "pack").value(), nullptr).prepare, nullptr);
}

TEST(TreeTest, ASequenceInsideASequenceIsFlattened) {
  const LoopNest nest = PaddedConvolution();
  const Path path = FindLoop(nest, "y").value();
  const LoopNest doubled = ReplaceTarget(nest, path, MakeSeq({path.target(), path.target()}));
  ASSERT_NE(As<Seq>(doubled.run), nullptr);
  EXPECT_EQ(As<Seq>(doubled.run)->stmts.size(), 3u);
}

TEST(TreeTest, RewriteThatChangesNothingSharesEverything) {
  const LoopNest nest = PaddedConvolution();
  EXPECT_EQ(RewriteStmts(nest.run, [](const Stmt& stmt) { return stmt; }), nest.run);
  EXPECT_EQ(SubstituteLoopVars(nest.run, {{MakeVar("k"), Int(0)}}), nest.run);
}

TEST(TreeTest, SubstitutesLoopVariablesOutsideBodiesOnly) {
  const LoopNest nest = PaddedConvolution();
  const Path path = FindBlock(nest, "conv").value();
  VarMap map;
  for (const Loop* loop : path.Loops()) map[loop->var] = VarRef(MakeVar(loop->var->name + "2"));
  const Stmt substituted = SubstituteLoopVars(path.target(), map);
  const Block& before = *As<Block>(path.target());
  const Block& after = *As<Block>(substituted);
  EXPECT_EQ(Print(nest, after.iters[0].binding), "x.o2*4 + x.i2");
  EXPECT_EQ(Print(nest, after.predicate[0]), "x.o2*4 + x.i2 < 9");
  EXPECT_EQ(after.body[0].value, before.body[0].value);
  EXPECT_EQ(after.guard[0], before.guard[0]);
}

TEST(TreeTest, RewritesEveryExpressionOfABlock) {
  const LoopNest nest = PaddedConvolution();
  const Block& block = *As<Block>(FindBlock(nest, "conv")->target());
  const Var vx = block.iters[0].var;
  const Block rewritten = RewriteBlockExprs(
      block, [&](const Expr& expr) { return expr->kind == ExprKind::kVar && expr->var == vx ? Int(4) : expr; });
  const Stmt stmt = MakeStmt(rewritten);
  EXPECT_THAT(Print(nest, stmt), HasSubstr("guard 0 <= vk + 4 - 1"));
  EXPECT_THAT(Print(nest, stmt), HasSubstr("acc[4] = 0.0f"));
  EXPECT_THAT(Print(nest, stmt), HasSubstr("acc[4] += data[vk + 4 - 1]*packed[vk]"));
}

TEST(TreeTest, RangesOfLoopsAndIterators) {
  const Var i = MakeVar("i");
  const Var j = MakeVar("j");
  const Loop outer{i, Int(2), Int(3), LoopKind::kSerial, nullptr};
  const Loop inner{j, VarRef(i) * Int(4), Min(Int(4), Int(15) - VarRef(i) * Int(4)), LoopKind::kSerial, nullptr};
  const VarRanges ranges = LoopRanges({&outer, &inner});
  EXPECT_EQ(ranges.at(i).min, 2);
  EXPECT_EQ(ranges.at(i).max, 4);
  EXPECT_EQ(ranges.at(j).min, 8);
  EXPECT_EQ(ranges.at(j).max, 14);  // nothing runs for i = 4
  Block block;
  const Var a = MakeVar("a");
  const Var b = MakeVar("b");
  block.iters = {{a, IterKind::kSpatial, 10, VarRef(j) - Int(5)},
                 {b, IterKind::kSpatial, 10, VarRef(MakeVar("other"))}};
  const VarRanges iters = IterRanges(block, ranges);
  EXPECT_EQ(iters.at(a).min, 3);
  EXPECT_EQ(iters.at(a).max, 9);
  EXPECT_EQ(iters.at(b).min, 0);
  EXPECT_EQ(iters.at(b).max, 9);
}

TEST(TreeTest, NewNamesMustBeFreeAndWellFormed) {
  const LoopNest nest = PaddedConvolution();
  EXPECT_TRUE(CheckNewName(nest, "a.b_C9").ok());
  for (const char* taken : {"x.o", "p", "conv", "pack", "data"}) {
    EXPECT_EQ(CheckNewName(nest, taken).code(), absl::StatusCode::kAlreadyExists) << taken;
  }
  for (const char* malformed : {"", "a b", "a-b", "a\n", "\xc3\xa9"}) {
    EXPECT_EQ(CheckNewName(nest, malformed).code(), absl::StatusCode::kInvalidArgument) << malformed;
  }
}

}  // namespace
}  // namespace tunefleet::codegen
