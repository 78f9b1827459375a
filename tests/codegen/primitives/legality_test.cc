// What each primitive refuses, and how it says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/ir/printer.h"
#include "codegen/ir/tree.h"
#include "tests/codegen/primitives/nests.h"

namespace tunefleet::codegen {
namespace {

constexpr absl::StatusCode kRefused = absl::StatusCode::kFailedPrecondition;
constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

// Blocks over one axis that copy buffers, in this order, each under a loop named "<block>.x". "in" is the input, "out"
// the output, all others are temporaries.
struct CopyStep {
  std::string block, from, to;
};
LoopNest CopyNest(const std::vector<CopyStep>& steps) {
  constexpr ScalarType kType = ScalarType::kFloat32;
  LoopNest nest{.name = "copies"};
  nest.buffers = {{"in", kType, {4}, Role::kInput}, {"out", kType, {4}, Role::kOutput}};
  const auto buffer = [&nest](const std::string& name) {
    if (nest.FindBuffer(name) < 0) nest.buffers.push_back({name, kType, {4}, Role::kTemporary, Scope::kWorkspace});
    return nest.FindBuffer(name);
  };
  std::vector<Stmt> stmts;
  for (const CopyStep& step : steps) {
    const Var loop = MakeVar(step.block + ".x"), i = MakeVar("i");
    Block block{.name = step.block, .iters = {{i, IterKind::kSpatial, 4, VarRef(loop)}}};
    const int from = buffer(step.from), to = buffer(step.to);
    block.body = {{to, {VarRef(i)}, StoreOp::kAssign, Load(from, kType, {VarRef(i)}) + Float(1, kType)}};
    stmts.push_back(
        MakeStmt(Loop{loop, Int(0), Int(4), LoopKind::kSerial, MakeStmt(WithInferredRegions(nest, block))}));
  }
  nest.run = MakeSeq(stmts);
  return nest;
}

ScheduleBuilder Start() { return ScheduleBuilder("direct", 1); }
LoopNest Matmul() { return MatmulNest(6, 8, 4); }

TEST(SplitTest, RefusesBadFactorsAndNames) {
  ExpectRefused(Matmul(), Start().Split("zz", {2, 3}, {"p", "q"}), absl::StatusCode::kNotFound, {"split", "'zz'", "m"});
  ExpectRefused(Matmul(), Start().Split("m", {2, 2}, {"p", "q"}), kInvalid, {"make 4", "extent 6"});
  ExpectRefused(Matmul(), Start().Split("m", {0, 0}, {"p", "q"}), kInvalid, {"one 0 at most"});
  ExpectRefused(Matmul(), Start().Split("m", {0, -2}, {"p", "q"}), kInvalid, {"above 0"});
  ExpectRefused(Matmul(), Start().Split("m", {}, {}), kInvalid, {"at least one factor"});
  ExpectRefused(Matmul(), Start().Split("m", {0, 2}, {"p"}), kInvalid, {"1 names for 2 factors"});
  ExpectRefused(Matmul(), Start().Split("m", {0, 2}, {"p", "p"}), absl::StatusCode::kAlreadyExists, {"'p'", "twice"});
  ExpectRefused(Matmul(), Start().Split("m", {0, 2}, {"p", "n"}), absl::StatusCode::kAlreadyExists, {"'n'"});
  ExpectRefused(Matmul(), Start().Parallel("m").Split("m", {0, 2}, {"p", "q"}), kRefused,
                {"'m'", "parallel", "serial"});
}

TEST(SplitTest, TailsBecomePredicates) {
  const LoopNest result = ExpectSameValues(MatmulNest(7, 8, 4), Start().Split("m", {0, 3}, {"m", "mi"}));
  EXPECT_THAT(Print(result), testing::HasSubstr("where m*3 + mi < 7"));
}

TEST(FuseTest, RefusesLoopsThatAreNotAdjacent) {
  ExpectRefused(Matmul(), Start().Fuse({"m"}, "f"), kInvalid, {"two or more"});
  ExpectRefused(Matmul(), Start().Fuse({"m", "k"}, "f"), kRefused, {"'k'", "adjacent"});
  ExpectRefused(Matmul(), Start().Fuse({"n", "m"}, "f"), kRefused, {"adjacent"});
  ExpectRefused(Matmul(), Start().Unroll("n").Fuse({"m", "n"}, "f"), kRefused, {"unrolled", "serial"});
  ExpectRefused(Matmul(), Start().Fuse({"m", "n"}, "k"), absl::StatusCode::kAlreadyExists, {"'k'"});
}

TEST(FuseTest, SplitAndFuseGiveTheBindingBack) {
  const LoopNest result = ExpectSameValues(Matmul(), Start().Split("m", {0, 2}, {"p", "q"}).Fuse({"p", "q"}, "m"));
  EXPECT_THAT(Print(result), testing::HasSubstr("i: spatial[6] = m,"));
}

TEST(ReorderTest, RefusesLoopsOfSeveralChains) {
  ExpectRefused(Matmul(), Start().Reorder({"m", "bm"}), kRefused, {"one chain"});
  ExpectRefused(Matmul(), Start().Reorder({"m", "m"}), kInvalid, {"twice"});
  ExpectRefused(Matmul(), Start().Reorder({}), kInvalid, {"at least one"});
  ExpectRefused(Matmul(), Start().DecomposeReduction("mm", "k", "init").Reorder({"k", "n"}), kRefused,
                {"several statements", "'n'"});
}

TEST(ReorderTest, RefusesToCrossADependenceBetweenBlocks) {
  // Both loops repeat everything: what the second block reads is overwritten by either.
  LoopNest nest = CopyNest({{"p", "in", "out"}, {"q", "in", "out"}});
  for (const char* loop : {"inner", "outer"}) {
    nest.run = MakeStmt(Loop{MakeVar(loop), Int(0), Int(2), LoopKind::kSerial, nest.run});
  }
  ExpectRefused(nest, Start().Reorder({"inner", "outer"}), kRefused,
                {"'outer'", "'inner'", "several blocks", "buffer 'out'"});
}

TEST(ReorderTest, AllowsIndependentLoopsAroundSeveralBlocks) {
  ScheduleBuilder s = Start();
  s.ReverseComputeAt("bias", "n").DecomposeReduction("mm", "k", "init").Reorder({"n", "m"});
  ExpectSameValues(Matmul(), s);
}

TEST(ReorderTest, KeepsVectorizedLoopsInnermost) {
  ExpectRefused(Matmul(), Start().Reorder({"k", "n"}).Vectorize("n").Reorder({"n", "k"}), kRefused,
                {"vectorized", "innermost"});
}

TEST(PartitionTest, RefusesBadPointsAndSuffixes) {
  ExpectRefused(Matmul(), Start().Partition("m", {6}, {"a", "b"}), kInvalid, {"[6]", "extent 6"});
  ExpectRefused(Matmul(), Start().Partition("m", {3, 2}, {"a", "b", "c"}), kInvalid, {"ascending"});
  ExpectRefused(Matmul(), Start().Partition("m", {}, {"a"}), kInvalid, {"a point at least"});
  ExpectRefused(Matmul(), Start().Partition("m", {2}, {"a"}), kInvalid, {"one more suffix"});
  ExpectRefused(Matmul(), Start().Partition("m", {2}, {"a", "a"}), absl::StatusCode::kAlreadyExists, {"twice"});
}

TEST(PartitionTest, GivesEachPartScratchOfItsOwn) {
  ScheduleBuilder s = Start();
  s.ComputeInline("bias").ReverseComputeAt("relu", "m").Split("m", {2, 3}, {"mo", "mi"}).Parallel("mi");
  const LoopNest result = ExpectSameValues(Matmul(), s.Partition("mo", {1}, {".x", ".y"}));
  EXPECT_GE(result.FindBuffer("t.x"), 0);
  EXPECT_GE(result.FindBuffer("t.y"), 0);
  EXPECT_EQ(result.FindBuffer("t"), -1);
}

TEST(PartitionTest, RefusesLoopsThatAreNotSerial) {
  ExpectRefused(Matmul(), Start().Parallel("m").Partition("m", {2}, {".x", ".y"}), kRefused, {"parallel", "serial"});
}

TEST(PartitionTest, LaterPartsOfAReductionHaveNoInit) {
  const LoopNest result = ExpectSameValues(Matmul(), Start().Partition("k", {1, 3}, {"", "x", "y"}));
  EXPECT_FALSE(As<Block>(FindBlock(result, "mm")->target())->init.empty());
  EXPECT_TRUE(As<Block>(FindBlock(result, "mmx")->target())->init.empty());
  EXPECT_TRUE(As<Block>(FindBlock(result, "mmy")->target())->init.empty());
}

TEST(VectorizeTest, RefusesReductionsAndOuterLoops) {
  ExpectRefused(Matmul(), Start().Vectorize("k"), kRefused, {"'k'", "'mm'", "reduces", "spatial"});
  ExpectRefused(Matmul(), Start().Vectorize("n"), kRefused, {"'n'", "'k'", "innermost"});
  ExpectRefused(Matmul(), Start().Unroll("bn").Vectorize("bn"), kRefused, {"unrolled"});
}

TEST(UnrollTest, RefusesLoopsThatAreNotSerial) {
  ExpectRefused(Matmul(), Start().Parallel("m").Unroll("m"), kRefused, {"parallel", "serial"});
}

TEST(ParallelTest, RefusesReductionsAndSharedWrites) {
  ExpectRefused(Matmul(), Start().Parallel("k"), kRefused, {"'k'", "reduces"});
  ExpectRefused(Matmul(), Start().Parallel("m").Parallel("n"), kRefused, {"'n'", "'m'", "parallel"});
  // The same rows again in every iteration of a repeating loop.
  LoopNest nest = Matmul();
  nest.run = MakeStmt(Loop{MakeVar("again"), Int(0), Int(2), LoopKind::kSerial, nest.run});
  ExpectRefused(nest, Start().Parallel("again"), kRefused, {"'again'", "overlap", "'out'"});
}

TEST(ParallelTest, TellsFusedIterationsApart) {
  ExpectSameValues(Matmul(), Start().Fuse({"m", "n"}, "f").Parallel("f"));
  ExpectSameValues(Matmul(), Start().Split("m", {0, 4}, {"mo", "mi"}).Fuse({"mo", "mi", "n"}, "f").Parallel("f"));
}

TEST(CacheReadTest, RefusesWhatTheBlockDoesNotRead) {
  ExpectRefused(Matmul(), Start().CacheRead("mm", "bias", "local", "c"), kRefused, {"'mm'", "'bias'"});
  ExpectRefused(Matmul(), Start().CacheRead("mm", "a", "nowhere", "c"), kInvalid, {"'nowhere'", "workspace"});
  ExpectRefused(Matmul(), Start().CacheRead("mm", "a", "local", "b"), absl::StatusCode::kAlreadyExists, {"'b'"});
  ExpectRefused(Matmul(), Start().CacheRead("mm", "zzz", "local", "c"), absl::StatusCode::kNotFound, {"'zzz'"});
}

TEST(CacheReadTest, RefusesWhatIsWrittenInTheSameStatement) {
  ExpectRefused(Matmul(), Start().ReverseComputeAt("bias", "m").CacheRead("bias", "t", "local", "c"), kRefused,
                {"'t'", "written by block 'mm'"});
}

TEST(CacheWriteTest, RefusesOtherWritersAndReaders) {
  ExpectRefused(Matmul(), Start().CacheWrite("mm", "out", "local", "c"), kRefused, {"'mm'", "'out'"});
  ExpectRefused(Matmul(), Start().DecomposeReduction("mm", "k", "init").CacheWrite("mm", "t", "local", "c"), kRefused,
                {"'t'", "'init'", "alone"});
  ExpectRefused(Matmul(), Start().ReverseComputeAt("bias", "m").CacheWrite("mm", "t", "local", "c"), kRefused,
                {"'t'", "read by block 'bias'"});
}

TEST(CacheWriteTest, RefusesADiagonal) {
  LoopNest nest = CopyNest({{"c", "in", "out"}});
  nest.buffers[nest.FindBuffer("out")].shape = {4, 4};
  const absl::StatusOr<Path> path = FindBlock(nest, "c");
  Block block = *As<Block>(path->target());
  block.body[0].indices.push_back(block.body[0].indices[0]);
  nest = ReplaceTarget(nest, *path, MakeStmt(WithInferredRegions(nest, block)));
  ExpectRefused(nest, Start().CacheWrite("c", "out", "local", "acc"), kRefused, {"'c'", "'out'", "whole box"});
}

TEST(ComputeAtTest, RefusesProducersOutOfReach) {
  ExpectRefused(Matmul(), Start().ComputeAt("relu", "m"), kRefused, {"'relu'", "'out'", "temporary"});
  ExpectRefused(Matmul(), Start().ComputeAt("bias", "m"), kRefused, {"'bias'", "after loop 'm'"});
  ExpectRefused(Matmul(), Start().ComputeAt("mm", "rm"), kRefused, {"'t'", "'bias'", "all consumers"});
  ExpectRefused(Matmul(), Start().ComputeAt("mm", "m"), kRefused, {"already under"});
  ExpectRefused(Matmul(), Start().DecomposeReduction("mm", "k", "init").ComputeAt("mm", "bm"), kRefused,
                {"'init'", "single writer"});
  ExpectRefused(Matmul(), Start().Vectorize("bn").ComputeAt("mm", "bn"), kRefused, {"'bn'", "vectorized"});
}

TEST(ComputeAtTest, RefusesInputsThatChangeOnTheWay) {
  const LoopNest nest =
      CopyNest({{"w", "in", "v"}, {"p", "v", "t"}, {"again", "t", "v"}, {"q", "v", "s"}, {"c", "s", "out"}});
  ExpectSameValues(nest, Start().ComputeAt("q", "c.x"));
  ExpectRefused(nest, Start().ComputeAt("p", "again.x"), kRefused, {"'again'", "writes buffer 'v'", "'p'"});
  ExpectRefused(nest, Start().ComputeAt("w", "p.x"), kRefused, {"'w'", "'again'", "single writer"});
}

TEST(ComputeAtTest, ComputesWhatIsNeededAndClips) {
  const LoopNest result =
      ExpectSameValues(MatmulNest(7, 8, 4), Start().Split("bm", {0, 3}, {"bo", "bi"}).ComputeAt("mm", "bo"));
  const std::string text = Print(result);
  EXPECT_THAT(text, testing::HasSubstr("for mm.i in [0, 3)"));
  EXPECT_THAT(text, testing::HasSubstr("for mm.k in [0, 4)"));
  EXPECT_THAT(text, testing::HasSubstr("bo*3 + mm.i < 7"));
}

TEST(ReverseComputeAtTest, RefusesUnfinishedReductions) {
  ExpectRefused(Matmul(), Start().ReverseComputeAt("bias", "k"), kRefused, {"'mm'", "not finished", "'k'"});
  ExpectRefused(Matmul(), Start().Reorder({"k", "m"}).ReverseComputeAt("bias", "m"), kRefused, {"not finished"});
}

TEST(ReverseComputeAtTest, RefusesConsumersOutOfReach) {
  ExpectRefused(Matmul(), Start().ReverseComputeAt("relu", "m"), kRefused, {"'relu'", "reads nothing"});
  ExpectRefused(Matmul(), Start().ReverseComputeAt("mm", "bm"), kRefused, {"'mm'", "stands before"});
}

TEST(ReverseComputeAtTest, RefusesBuffersInUseOnTheWay) {
  const LoopNest read_late = CopyNest(
      {{"w", "in", "v"}, {"p", "in", "t"}, {"q", "v", "s"}, {"c", "t", "v"}, {"d", "s", "r"}, {"e", "v", "out"}});
  ExpectSameValues(read_late, Start().ReverseComputeAt("d", "q.x"));
  ExpectRefused(read_late, Start().ReverseComputeAt("c", "p.x"), kRefused, {"'q'", "buffer 'v'", "which it writes"});
}

TEST(ReverseComputeAtTest, RefusesHalves) {
  // A tail inside a tile: what one iteration makes is no box.
  ScheduleBuilder s = Start();
  s.Split("m", {0, 4}, {"mo", "mi"}).Split("mi", {0, 3}, {"ma", "mb"});
  ExpectRefused(MatmulNest(10, 4, 3), s.ReverseComputeAt("bias", "ma"), kRefused, {"'mm'", "tail"});
}

TEST(ReverseComputeAtTest, RefusesElementsThatNobodyMakes) {
  // Element 0 of the padded row comes from nowhere, so that no iteration would run it.
  enum { kIn, kT, kOut };
  LoopNest nest{.name = "shift"};
  nest.buffers = {{"in", ScalarType::kFloat32, {4}, Role::kInput},
                  {"t", ScalarType::kFloat32, {4}, Role::kTemporary, Scope::kWorkspace},
                  {"out", ScalarType::kFloat32, {5}, Role::kOutput}};
  const Var x = MakeVar("x"), y = MakeVar("y"), i = MakeVar("i");
  Block copy{.name = "copy", .iters = {{i, IterKind::kSpatial, 4, VarRef(x)}}};
  copy.body = {{kT, {VarRef(i)}, StoreOp::kAssign, Load(kIn, ScalarType::kFloat32, {VarRef(i)})}};
  Block shift{.name = "shift", .iters = {{i, IterKind::kSpatial, 5, VarRef(y)}}};
  shift.body = {{kOut,
                 {VarRef(i)},
                 StoreOp::kAssign,
                 Select(Less(Int(0), VarRef(i)), Load(kT, ScalarType::kFloat32, {VarRef(i) - Int(1)}),
                        Float(0, ScalarType::kFloat32))}};
  nest.run =
      MakeSeq({MakeStmt(Loop{x, Int(0), Int(4), LoopKind::kSerial, MakeStmt(WithInferredRegions(nest, copy))}),
               MakeStmt(Loop{y, Int(0), Int(5), LoopKind::kSerial, MakeStmt(WithInferredRegions(nest, shift))})});
  ExpectRefused(nest, Start().ReverseComputeAt("shift", "x"), kRefused, {"'shift'", "more than the loop makes"});
}

TEST(ComputeInlineTest, RefusesReductionsAndOutputs) {
  ExpectRefused(Matmul(), Start().ComputeInline("mm"), kRefused, {"'mm'", "reduction"});
  ExpectRefused(Matmul(), Start().ComputeInline("relu"), kRefused, {"'out'", "temporary"});
}

TEST(ComputeInlineTest, RefusesInputsThatChange) {
  // Under one loop, t is computed again before u of the last iteration is read.
  ExpectRefused(Matmul(), Start().ReverseComputeAt("bias", "m").ComputeInline("bias"), kRefused,
                {"'bias'", "'mm'", "writes buffer 't'"});
}

TEST(SetScopeTest, RefusesBuffersOfTheCaller) {
  ExpectRefused(Matmul(), Start().SetScope("out", "local"), kRefused, {"'out'", "temporary"});
  ExpectRefused(Matmul(), Start().SetScope("t", "global"), kInvalid, {"'global'"});
}

TEST(PrefetchTest, SaysHowFarAhead) {
  ExpectRefused(Matmul(), Start().Prefetch("zz", 64), absl::StatusCode::kNotFound, {"'zz'"});
  ExpectRefused(Matmul(), Start().Prefetch("a", 0), kInvalid, {"distance"});
  ExpectRefused(Matmul(), Start().Prefetch("a", int64_t{1} << 21), kInvalid, {"distance"});
  ExpectRefused(Matmul(), Start().SetScope("t", "local").Prefetch("t", 64), kRefused, {"'t'", "local"});
  const LoopNest result = ExpectSameValues(Matmul(), Start().Prefetch("a", 4096));
  EXPECT_THAT(Print(result), testing::HasSubstr("prefetch 4096"));
}

TEST(FoldLoadsTest, IsOfWhatIsReadFromMemory) {
  ExpectRefused(Matmul(), Start().FoldLoads("zz"), absl::StatusCode::kNotFound, {"'zz'"});
  ExpectRefused(Matmul(), Start().SetScope("t", "local").FoldLoads("t"), kRefused, {"'t'", "local"});
  const LoopNest result = ExpectSameValues(Matmul(), Start().FoldLoads("a"));
  EXPECT_THAT(Print(result), testing::HasSubstr("fold_loads"));
}

TEST(SetScopeTest, RefusesToForgetValuesBetweenIterations) {
  LoopNest nest = Matmul();
  nest.buffers[nest.FindBuffer("t")].scope = Scope::kGlobal;
  nest.run = MakeStmt(Loop{MakeVar("again"), Int(0), Int(2), LoopKind::kSerial, nest.run});
  ExpectRefused(nest, Start().SetScope("t", "local"), kRefused, {"'t'", "one iteration"});
}

TEST(DecomposeReductionTest, RefusesLoopsInsideTheReduction) {
  ExpectRefused(Matmul(), Start().Reorder({"k", "n"}).DecomposeReduction("mm", "n", "init"), kRefused,
                {"'mm'", "over k", "outside loop 'n'"});
  ExpectRefused(Matmul(), Start().DecomposeReduction("mm", "bm", "init"), kRefused, {"not around"});
  ExpectRefused(Matmul(), Start().DecomposeReduction("relu", "rm", "init"), kRefused, {"no init"});
  ExpectRefused(Matmul(), Start().DecomposeReduction("mm", "k", "init").DecomposeReduction("mm", "k", "again"),
                kRefused, {"decomposed already"});
}

TEST(DecomposeReductionTest, RefusesReadersBeforeTheReduction) {
  // A block that reads t of the row before, in front of the product.
  LoopNest nest = Matmul();
  const absl::StatusOr<Path> path = FindLoop(nest, "m");
  Loop rows = *As<Loop>(path->target());
  nest.buffers.push_back({"late", ScalarType::kFloat32, {6}, Role::kTemporary, Scope::kWorkspace});
  const Var i = MakeVar("i");
  Block reader{.name = "reader", .iters = {{i, IterKind::kSpatial, 6, VarRef(rows.var)}}};
  reader.body = {{nest.FindBuffer("late"),
                  {VarRef(i)},
                  StoreOp::kAssign,
                  Load(nest.FindBuffer("t"), ScalarType::kFloat32, {Max(VarRef(i) - Int(1), Int(0)), Int(0)})}};
  rows.body = MakeSeq({MakeStmt(WithInferredRegions(nest, reader)), rows.body});
  nest = ReplaceTarget(nest, *path, MakeStmt(rows));
  ExpectRefused(nest, Start().DecomposeReduction("mm", "m", "init"), kRefused, {"'reader'", "'t'", "readers after"});
}

TEST(DecomposeReductionTest, RefusesRepeatedElements) {
  LoopNest nest = Matmul();
  const Seq* seq = As<Seq>(nest.run);
  std::vector<Stmt> stmts = seq->stmts;
  stmts[0] = MakeStmt(Loop{MakeVar("again"), Int(0), Int(2), LoopKind::kSerial, stmts[0]});
  nest.run = MakeSeq(stmts);
  ExpectRefused(nest, Start().DecomposeReduction("mm", "again", "init"), kRefused, {"'again'", "repeat"});
  ExpectRefused(nest, Start().Reorder({"m", "n", "k", "again"}), kRefused, {"'again'", "'k'", "'mm'", "repeated"});
  ExpectSameValues(nest, Start().Reorder({"m", "n", "again", "k"}).DecomposeReduction("mm", "k", "init"));
}

TEST(AccumulateAtTest, RefusesWhatIsNoSumInPasses) {
  ExpectRefused(Matmul(), Start().AccumulateAt("mm", "bm", "local", "acc"), kRefused, {"'bm'", "not around"});
  ExpectRefused(Matmul(), Start().AccumulateAt("relu", "rm", "local", "acc"), kRefused, {"'relu'", "no init"});
  ExpectRefused(Matmul(), Start().AccumulateAt("mm", "m", "global", "acc"), kInvalid, {"scope"});
  ExpectRefused(Matmul(), Start().DecomposeReduction("mm", "k", "init").AccumulateAt("mm", "m", "local", "acc"),
                kRefused, {"decomposed already"});
  ExpectRefused(Matmul(), Start().ReverseComputeAt("bias", "m").AccumulateAt("mm", "m", "local", "acc"), kRefused,
                {"'bias'", "uses buffer 't'"});
}

TEST(AccumulateAtTest, AddsPassesOfACutReduction) {
  ScheduleBuilder s = Start();
  s.Split("k", {0, 3}, {"k.b", "k.i"}).Split("n", {0, 3}, {"n.o", "n.i"});
  s.Reorder({"k.b", "m", "n.o", "k.i", "n.i"}).AccumulateAt("mm", "n.o", "local", "acc").Unroll("acc.out.j");
  const LoopNest result = ExpectSameValues(Matmul(), s);
  EXPECT_THAT(Print(result, result.run), testing::HasSubstr("t[i, j] += acc[i, j]"));
  EXPECT_THAT(Print(result, result.run), testing::HasSubstr("k.b == 0"));
}

TEST(RFactorTest, RefusesWhatIsNoSumOverTheLoop) {
  ExpectRefused(Matmul(), Start().RFactor("mm", "bm", "local", "part"), kRefused, {"'bm'", "not around"});
  ExpectRefused(Matmul(), Start().RFactor("mm", "m", "local", "part"), kRefused, {"'m'", "a reduction"});
  ExpectRefused(Matmul(), Start().RFactor("relu", "rm", "local", "part"), kRefused, {"'relu'", "no init"});
  ExpectRefused(Matmul(), Start().RFactor("mm", "k", "global", "part"), kInvalid, {"scope"});
  ExpectRefused(Matmul(), Start().Unroll("k").RFactor("mm", "k", "local", "part"), kRefused, {"'k'", "serial"});
  ExpectRefused(Matmul(), Start().DecomposeReduction("mm", "k", "init").RFactor("mm", "k", "local", "part"), kRefused,
                {"decomposed already"});
  ExpectRefused(Matmul(), Start().ReverseComputeAt("bias", "m").RFactor("mm", "k", "local", "part"), kRefused, {"'t'"});
}

TEST(RFactorTest, MakesTheLoopSpatial) {
  ScheduleBuilder s = Start();
  s.Split("k", {0, 2}, {"k.o", "k.v"}).RFactor("mm", "k.v", "local", "part");
  s.ComputeAt("mm", "part.out.d1").Reorder({"mm.k.o", "mm.i", "mm.j"}).DecomposeReduction("mm", "mm.k.o", "zero");
  s.Vectorize("mm.k.v").Vectorize("zero.k.v").Unroll("part.out.k.v");
  const LoopNest result = ExpectSameValues(Matmul(), s);
  EXPECT_THAT(Print(result, result.run), testing::HasSubstr("part[i, j, k.v] += "));
  EXPECT_THAT(Print(result, result.run), testing::HasSubstr("t[d0, d1] += part[d0, d1, k.v]"));
}

TEST(TransformLayoutTest, RefusesLayoutsOfTheCallerAndBadTerms) {
  ExpectRefused(Matmul(), Start().TransformLayout("a", {"1", "0"}, "p"), kRefused, {"'a'", "input"});
  ExpectRefused(Matmul(), Start().TransformLayout("out", {"1", "0"}, "p"), kRefused, {"'out'", "output"});
  ExpectRefused(Matmul(), Start().TransformLayout("b", {"0"}, "p"), kInvalid, {"each dimension once"});
  ExpectRefused(Matmul(), Start().TransformLayout("b", {"0", "1/4", "1%2"}, "p"), kInvalid, {"one factor"});
  ExpectRefused(Matmul(), Start().TransformLayout("b", {"0", "7"}, "p"), kInvalid, {"'7'", "below 2"});
  ExpectRefused(Matmul(), Start().TransformLayout("b", {"0", "1/x", "1%x"}, "p"), kInvalid, {"'1/x'"});
  ExpectRefused(Matmul(), Start().TransformLayout("b", {"1", "0"}, "a"), absl::StatusCode::kAlreadyExists, {"'a'"});
  ExpectRefused(Matmul(), Start().TransformLayout("t", {"1", "0"}, "p"), kInvalid, {"'p'", "keeps its name"});
}

TEST(PadTest, RefusesTooLittlePaddingAndSumsWithoutProducts) {
  ExpectRefused(WindowNest(5), Start().Pad("conv", "in", {0}, {1}, "workspace", "p"), kRefused,
                {"'conv'", "'in'", "more padding"});
  ExpectRefused(WindowNest(5), Start().Pad("conv", "in", {1, 1}, {1}, "workspace", "p"), kInvalid, {"1 numbers"});
  ExpectRefused(WindowNest(5), Start().Pad("conv", "in", {-1}, {1}, "workspace", "p"), kInvalid, {"0 to 2^20"});
  ExpectRefused(WindowNest(5), Start().Pad("conv", "out", {1}, {1}, "workspace", "p"), kRefused, {"'out'"});
}

TEST(PadTest, DropsTheGuardOfProductsOnly) {
  const LoopNest result = ExpectSameValues(WindowNest(5), Start().Pad("conv", "in", {1}, {1}, "workspace", "p"));
  EXPECT_TRUE(As<Block>(FindBlock(result, "conv")->target())->guard.empty());
  LoopNest maximum = WindowNest(5);
  const absl::StatusOr<Path> path = FindBlock(maximum, "conv");
  Block block = *As<Block>(path->target());
  block.body[0].op = StoreOp::kMax;
  maximum = ReplaceTarget(maximum, *path, MakeStmt(block));
  const LoopNest kept = ExpectSameValues(maximum, Start().Pad("conv", "in", {1}, {1}, "workspace", "p"));
  EXPECT_EQ(As<Block>(FindBlock(kept, "conv")->target())->guard.size(), 2u);
}

}  // namespace
}  // namespace tunefleet::codegen
