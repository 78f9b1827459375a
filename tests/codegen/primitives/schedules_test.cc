// Whole schedules, as the spaces make them, on odd shapes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/tree.h"
#include "tests/codegen/primitives/nests.h"

namespace tunefleet::codegen {
namespace {

struct ConvTiles {
  int64_t ow, co, ci, oh;
};

// Direct convolution in NCHW16c: packed weights, a padded tile of the input, register accumulators, epilogue on them.
ScheduleBuilder ConvSchedule(const ConvTiles& tiles, bool pad, bool epilogue) {
  ScheduleBuilder s("direct", 1);
  s.TransformLayout("weight", {"0/16", "1/16", "2", "3", "1%16", "0%16"}, "packed");
  if (pad) s.Pad("conv2d", "data", {0, 0, 1, 1, 0}, {0, 0, 2, 2, 0}, "workspace", "padded");
  std::string result = "output";
  if (epilogue) {
    s.ComputeInline("bias_add");
  } else {
    s.CacheWrite("conv2d", "output", "local", "acc");
  }
  s.Split("ow", {0, tiles.ow}, {"ow.o", "ow.i"})
      .Split("co", {0, tiles.co}, {"co.o", "co.i"})
      .Split("ci", {0, tiles.ci}, {"ci.o", "ci.i"})
      .Split("oh", {0, tiles.oh}, {"oh.o", "oh.i"})
      .Reorder({"n", "co.o", "oh.o", "oh.i", "ow.o", "ci.o", "kh", "kw", "ci.i", "l", "ow.i", "co.i", "c"});
  const std::string copy = epilogue ? "relu" : "acc.out";
  s.ReverseComputeAt(copy, "ow.o").DecomposeReduction("conv2d", "ci.o", "conv.init");
  if (pad) s.ComputeAt("padded", "oh.o").Vectorize("padded.d4");
  const std::string dim = epilogue ? "ow" : "d3";
  const std::string lane = epilogue ? "c" : "d4";
  s.Vectorize("c")
      .Unroll("ow.i")
      .Unroll("co.i")
      .Vectorize("conv.init.c")
      .Unroll("conv.init.ow")
      .Vectorize(absl::StrCat(copy, ".", lane))
      .Unroll(absl::StrCat(copy, ".", dim))
      .Fuse({"n", "co.o", "oh.o"}, "task")
      .Parallel("task");
  return s;
}

TEST(ConvScheduleTest, DirectNchw16cKeepsValuesOnOddShapes) {
  const struct {
    const char* op;
    ConvTiles tiles;
    bool pad;
  } cases[] = {
      {"conv2d(n=1,h=3,w=7,ci=20,co=17,k=3,s=1,p=1,layout=NCHW16c)", {3, 1, 1, 2}, true},
      {"conv2d(n=1,h=5,w=5,ci=20,co=17,k=3,s=1,p=1,layout=NCHW16c)", {4, 2, 2, 3}, false},
      {"conv2d(n=2,h=5,w=7,ci=16,co=20,k=3,s=2,p=1,layout=NCHW16c)", {2, 2, 1, 1}, true},
      {"conv2d(n=1,h=5,w=5,ci=3,co=17,k=1,s=1,p=0,layout=NCHW16c)", {5, 1, 1, 5}, true},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.op);
    ExpectSameValues(OperatorNest(c.op), ConvSchedule(c.tiles, c.pad, false));
  }
}

TEST(ConvScheduleTest, EpilogueRunsOnTheAccumulators) {
  const LoopNest nest = OperatorNest("conv2d(n=1,h=4,w=5,ci=16,co=20,k=3,s=1,p=1,layout=NCHW16c)+bias+relu");
  const LoopNest result = ExpectSameValues(nest, ConvSchedule({3, 1, 1, 2}, true, true));
  const absl::StatusOr<Path> relu = FindBlock(result, "relu");
  ASSERT_TRUE(relu.ok());
  EXPECT_EQ(relu->Loops()[2]->var->name, "ow.o") << Print(result);
}

TEST(ConvScheduleTest, PackedWeightsNeedNoSelect) {
  const LoopNest nest = OperatorNest("conv2d(n=1,h=3,w=3,ci=20,co=17,k=1,s=1,p=0,layout=NCHW16c)");
  ScheduleBuilder s("direct", 1);
  s.TransformLayout("weight", {"0/16", "1/16", "2", "3", "1%16", "0%16"}, "packed");
  const LoopNest result = ExpectSameValues(nest, s);
  const std::string run = Print(result, result.run);
  EXPECT_THAT(run, testing::Not(testing::HasSubstr("select")));
  EXPECT_THAT(run, testing::HasSubstr("packed[co, ci, kh, kw, l, c]"));
  EXPECT_THAT(Print(result, result.prepare), testing::HasSubstr("select"));
}

TEST(ConvScheduleTest, SelectStaysWherePackingDoesNotReachTheReads) {
  const LoopNest nest = OperatorNest("conv2d(n=1,h=3,w=3,ci=20,co=17,k=1,s=1,p=0,layout=NCHW16c)");
  ScheduleBuilder s("direct", 1);
  s.TransformLayout("weight", {"0", "2", "3", "1"}, "packed");
  const LoopNest result = ExpectSameValues(nest, s);
  EXPECT_THAT(Print(result, result.run), testing::HasSubstr("select"));
}

TEST(ConvScheduleTest, PartitionPeelsTheBorders) {
  const LoopNest nest = OperatorNest("conv2d(n=1,h=5,w=8,ci=16,co=16,k=3,s=1,p=1,layout=NCHW16c)");
  ScheduleBuilder s("direct", 1);
  s.Split("ow", {0, 4}, {"ow.o", "ow.i"})
      .Reorder({"ow.o", "ci", "kh", "kw", "l", "ow.i", "c"})
      .DecomposeReduction("conv2d", "ci", "init")
      .Partition("oh", {1, 4}, {".top", "", ".bottom"})
      .Vectorize("c")
      .Vectorize("c.top")
      .Parallel("oh");
  ExpectSameValues(nest, s);
}

// Row-major matrices: B is packed tile by tile into the workspace.
ScheduleBuilder MatmulSchedule(int64_t mr, int64_t nr, int64_t kc, const std::string& pack_at) {
  ScheduleBuilder s("direct", 1);
  s.CacheRead("mm", "b", "workspace", "bp")
      .TransformLayout("bp", {absl::StrCat("1/", nr), "0", absl::StrCat("1%", nr)}, "")
      .CacheRead("mm", "a", "workspace", "ap")
      .Split("m", {0, mr}, {"m.o", "m.i"})
      .Split("n", {0, nr}, {"n.o", "n.i"})
      .Split("k", {0, kc}, {"k.o", "k.i"})
      .ComputeInline("bias")
      .Reorder({"n.o", "m.o", "k.o", "k.i", "m.i", "n.i"})
      .ReverseComputeAt("relu", "m.o")
      .SetScope("t", "local")
      .DecomposeReduction("mm", "k.o", "mm.init")
      .ComputeAt("bp", pack_at)
      .ComputeAt("ap", "k.o")
      .Vectorize("n.i")
      .Unroll("m.i")
      .Vectorize("mm.init.j")
      .Unroll("mm.init.i")
      .Vectorize("relu.j")
      .Vectorize("bp.d1")
      .Parallel("n.o");
  return s;
}

TEST(MatmulScheduleTest, PackedTilesKeepValuesOnOddShapes) {
  for (const char* pack_at : {"n.o", "k.o"}) {
    SCOPED_TRACE(pack_at);
    ExpectSameValues(MatmulNest(7, 19, 5), MatmulSchedule(3, 8, 2, pack_at));
    ExpectSameValues(MatmulNest(1, 1, 1), MatmulSchedule(4, 16, 8, pack_at));
    ExpectSameValues(MatmulNest(12, 16, 8), MatmulSchedule(4, 16, 4, pack_at));
    ExpectSameValues(MatmulNest(13, 17, 11), MatmulSchedule(5, 4, 3, pack_at));
  }
}

TEST(MatmulScheduleTest, PackingComputesOneTile) {
  const absl::StatusOr<LoopNest> result = Replay(MatmulNest(7, 19, 5), MatmulSchedule(3, 8, 2, "k.o").schedule());
  ASSERT_TRUE(result.ok()) << result.status();
  const absl::StatusOr<Path> rows = FindLoop(*result, "bp.d0");
  const absl::StatusOr<Path> columns = FindLoop(*result, "bp.d1");
  ASSERT_TRUE(rows.ok() && columns.ok());
  EXPECT_EQ(ConstantInt(As<Loop>(rows->target())->extent), 2);
  EXPECT_EQ(ConstantInt(As<Loop>(columns->target())->extent), 8);
}

TEST(MatmulScheduleTest, PackedConstantIsMadeOnceInPrepare) {
  ScheduleBuilder s("direct", 1);
  s.TransformLayout("b", {"1/8", "0", "1%8"}, "bp").Split("n", {0, 8}, {"n.o", "n.i"}).Parallel("bp.d0");
  const LoopNest result = ExpectSameValues(MatmulNest(3, 13, 4), s);
  EXPECT_EQ(result.buffers[result.FindBuffer("bp")].role, Role::kPrepared);
  EXPECT_EQ(BlocksIn(result.prepare).size(), 1u);
}

}  // namespace
}  // namespace tunefleet::codegen
