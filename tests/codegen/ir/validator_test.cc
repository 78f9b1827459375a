#include "codegen/ir/validator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "codegen/ir/containment.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/tree.h"
#include "tests/codegen/ir/random_expr.h"
#include "tests/codegen/ir/sample_nests.h"

namespace tunefleet::codegen {
namespace {

using ::testing::HasSubstr;

constexpr ScalarType kF32 = ScalarType::kFloat32;

// The sample with one block changed.
LoopNest WithBlock(const std::string& name, const std::function<void(Block*)>& change) {
  const LoopNest nest = PaddedConvolution();
  const Path path = FindBlock(nest, name).value();
  Block block = *As<Block>(path.target());
  change(&block);
  return ReplaceTarget(nest, path, MakeStmt(std::move(block)));
}

LoopNest WithLoop(const std::string& name, const std::function<void(Loop*)>& change) {
  const LoopNest nest = PaddedConvolution();
  const Path path = FindLoop(nest, name).value();
  Loop loop = *As<Loop>(path.target());
  change(&loop);
  return ReplaceTarget(nest, path, MakeStmt(std::move(loop)));
}

LoopNest WithNest(const std::function<void(LoopNest*)>& change) {
  LoopNest nest = PaddedConvolution();
  change(&nest);
  return nest;
}

void ExpectMalformed(const LoopNest& nest, const std::string& message) {
  const absl::Status status = Validate(nest);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << Print(nest);
  EXPECT_THAT(status.message(), HasSubstr(message));
}

TEST(ValidatorTest, AcceptsAGoodNest) {
  EXPECT_TRUE(Validate(PaddedConvolution()).ok()) << Validate(PaddedConvolution());
}

TEST(ValidatorTest, RejectsNamesThatAppearTwice) {
  ExpectMalformed(WithNest([](LoopNest* n) { n->buffers[1].name = "data"; }), "buffer data: two have this name");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->name = "conv"; }), "block conv: two have this name");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->name = "pack"; }), "block pack: two have this name");
  ExpectMalformed(WithNest([](LoopNest* n) {
                    n->run = MakeStmt(Loop{MakeVar("k"), Int(0), Int(1), LoopKind::kSerial, n->run});
                  }),
                  "loop k: two have this name");
  ExpectMalformed(WithBlock("conv",
                            [](Block* b) {
                              b->iters.push_back({MakeVar("vx"), IterKind::kSpatial, 1, Int(0)});
                            }),
                  "two iterators are named vx");
}

TEST(ValidatorTest, RejectsVariablesOutOfScope) {
  const Var stray = MakeVar("stray");
  ExpectMalformed(WithLoop("k", [&](Loop* l) { l->begin = VarRef(stray); }), "loop k: stray is not in scope");
  ExpectMalformed(WithLoop("k", [&](Loop* l) { l->begin = VarRef(l->var); }), "loop k: k is not in scope");
  ExpectMalformed(WithBlock("relu", [&](Block* b) { b->iters[0].binding = VarRef(stray); }), "stray is not in scope");
  ExpectMalformed(WithBlock("conv", [&](Block* b) { b->predicate.push_back(Less(VarRef(b->iters[0].var), Int(9))); }),
                  "vx is not in scope");
  ExpectMalformed(WithBlock("relu", [&](Block* b) { b->guard.push_back(Less(b->iters[0].binding, Int(9))); }),
                  "y is not in scope");
  ExpectMalformed(WithBlock("relu", [&](Block* b) { b->body[0].indices[0] = b->iters[0].binding; }),
                  "y is not in scope");
}

TEST(ValidatorTest, RejectsTypesThatDisagree) {
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->body[0].value = Float(0, ScalarType::kFloat64); }),
                  "the value stored to out has another type");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->body[0].value = Load(3, ScalarType::kFloat64, {Int(0)}); }),
                  "another type");
  ExpectMalformed(WithBlock("relu",
                            [](Block* b) {
                              b->body[0].value = Cast(kF32, Load(3, ScalarType::kFloat64, {VarRef(b->iters[0].var)}));
                            }),
                  "types disagree in acc[vy]");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->guard.push_back(VarRef(b->iters[0].var)); }),
                  "guard vy is no bool");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->iters[0].binding = Less(b->iters[0].binding, Int(3)); }),
                  "the binding of iterator vy is no index");
  ExpectMalformed(
      WithBlock("relu",
                [](Block* b) { b->body[0].value = Binary(BinaryOp::kFloorDiv, b->body[0].value, b->body[0].value); }),
      "types disagree");
  ExpectMalformed(WithNest([](LoopNest* n) { n->buffers[3].type = ScalarType::kIndex; }), "buffer acc: no data type");
}

TEST(ValidatorTest, RejectsRanksThatDisagree) {
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->body[0].indices.push_back(Int(0)); }),
                  "2 indices for buffer out");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->body[0].value = Load(3, kF32, {}); }),
                  "0 indices for buffer acc");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->body[0].buffer = 17; }), "no buffer number 17");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->reads[0].ranges.clear(); }), "0 indices for buffer acc");
}

TEST(ValidatorTest, RejectsIteratorsThatLeaveTheirDomain) {
  ExpectMalformed(WithBlock("conv", [](Block* b) { b->predicate.clear(); }), "iterator vx = x.o*4 + x.i leaves [0, 9)");
  ExpectMalformed(WithBlock("conv", [](Block* b) { b->predicate[0] = Less(b->iters[0].binding, Int(10)); }),
                  "iterator vx = x.o*4 + x.i leaves [0, 9)");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->iters[0].binding = b->iters[0].binding - Int(1); }), "leaves");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->iters[0].extent = 0; }), "extent 0");
}

TEST(ValidatorTest, RejectsAccessesOutsideTheBuffer) {
  ExpectMalformed(WithBlock("conv", [](Block* b) { b->guard.pop_back(); }), "index vx + vk - 1 of data leaves [0, 9)");
  ExpectMalformed(WithBlock("conv", [](Block* b) { b->guard.erase(b->guard.begin()); }), "leaves [0, 9)");
  ExpectMalformed(WithNest([](LoopNest* n) { n->buffers[4].shape = {8}; }), "index vy of out leaves [0, 8)");
}

TEST(ValidatorTest, AcceptsAccessesThatASelectGuards) {
  const LoopNest nest = WithBlock("relu", [](Block* b) {
    const Expr vy = VarRef(b->iters[0].var);
    b->body[0].value = Select(Less(vy, Int(8)), Load(3, kF32, {vy + Int(1)}), Float(0, kF32));
    b->reads[0].ranges[0].begin = vy + Int(1);
  });
  EXPECT_TRUE(Validate(nest).ok()) << Validate(nest);
  ExpectMalformed(WithBlock("relu",
                            [](Block* b) {
                              const Expr vy = VarRef(b->iters[0].var);
                              b->body[0].value = Select(Less(vy, Int(8)), Float(0, kF32), Load(3, kF32, {vy + Int(1)}));
                              b->reads[0].ranges[0].begin = vy + Int(1);
                            }),
                  "index vy + 1 of acc leaves [0, 9)");
}

TEST(ValidatorTest, RejectsAccessesOutsideTheDeclaredRegions) {
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->reads.clear(); }), "buffer acc is read but no region says so");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->writes.clear(); }), "buffer out is written but no region");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->reads[0].ranges[0].begin = Int(0); }),
                  "index vy of acc leaves the region read");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->reads.push_back(b->reads[0]); }), "two regions of buffer acc");
  EXPECT_TRUE(Validate(WithBlock("relu", [](Block* b) { b->reads.clear(), b->writes.clear(); })).ok());
}

TEST(ValidatorTest, RejectsWrongUseOfRoles) {
  ExpectMalformed(
      WithNest([](LoopNest* n) { n->buffers[3].role = Role::kInput, n->buffers[3].scope = Scope::kGlobal; }),
      "buffer acc: inputs and constants are never written");
  ExpectMalformed(WithNest([](LoopNest* n) { n->buffers[0].role = Role::kOutput; }), "buffer data: an output that is");
  ExpectMalformed(WithNest([](LoopNest* n) { n->prepare = nullptr; }), "buffer packed: prepare does not write it");
  ExpectMalformed(WithNest([](LoopNest* n) { n->buffers[1].role = Role::kInput; }), "prepare must not use an input");
  ExpectMalformed(WithNest([](LoopNest* n) { n->buffers[4].role = Role::kPrepared; }), "run must not write");
  ExpectMalformed(WithNest([](LoopNest* n) { n->buffers[2].role = Role::kTemporary; }), "share no temporaries");
  ExpectMalformed(WithNest([](LoopNest* n) { n->buffers[0].role = Role::kTemporary; }), "read but never written");
  ExpectMalformed(WithNest([](LoopNest* n) { n->buffers[0].scope = Scope::kLocal; }), "only temporaries have a scope");
}

TEST(ValidatorTest, RejectsLiteralsThatAreNotJustTheirContents) {
  const auto weight_as_literal = [](std::vector<double> values) {
    return WithNest([&](LoopNest* n) { n->buffers[1].role = Role::kLiteral, n->buffers[1].literal = values; });
  };
  EXPECT_TRUE(Validate(weight_as_literal({1, 2, 3})).ok());
  ExpectMalformed(weight_as_literal({1, 2}), "buffer weight: not one number for every element");
  ExpectMalformed(WithNest([](LoopNest* n) { n->buffers[1].literal = {1, 2, 3}; }), "contents in what is no literal");
  ExpectMalformed(WithNest([](LoopNest* n) {
                    n->buffers[4].role = Role::kLiteral;
                    n->buffers[4].literal.assign(9, 0);
                  }),
                  "buffer out: literals are never written");
}

TEST(ValidatorTest, RejectsMalformedTrees) {
  ExpectMalformed(WithNest([](LoopNest* n) { n->run = MakeStmt(If{Bool(true), n->run}); }), "only lowered nests");
  ExpectMalformed(WithNest([](LoopNest* n) { n->run = nullptr; }), "nothing to run");
  ExpectMalformed(WithLoop("y", [](Loop* l) { l->body = nullptr; }), "an empty statement");
  ExpectMalformed(WithLoop("y", [](Loop* l) { l->extent = Int(0); }), "loop y: an extent below 1");
  ExpectMalformed(WithLoop("k", [](Loop* l) { l->extent = Bool(true); }), "loop k: a bound is no index");
  ExpectMalformed(WithBlock("relu", [](Block* b) { b->body.clear(); }), "no statement to do");
  ExpectMalformed(WithBlock("conv", [](Block* b) { b->init[0].op = StoreOp::kAdd; }), "init does not assign");
  ExpectMalformed(WithNest([](LoopNest* n) { n->buffers[0].shape = {0}; }), "an extent below 1");
  ExpectMalformed(WithNest([](LoopNest* n) {
                    n->run = std::make_shared<const StmtNode>(StmtNode{Seq{{n->run, n->run}}});
                  }),
                  "a sequence inside a sequence");
}

TEST(ValidatorTest, VectorizedAndUnrolledLoopsNeedAConstantExtent) {
  for (const LoopKind kind : {LoopKind::kVectorized, LoopKind::kUnrolled}) {
    ExpectMalformed(WithLoop("x.o",
                             [kind](Loop* outer) {
                               Loop k = *As<Loop>(outer->body);
                               k.kind = kind;
                               k.extent = Min(Int(3), VarRef(outer->var) + Int(1));
                               outer->body = MakeStmt(std::move(k));
                             }),
                    "need a constant extent");
  }
}

TEST(ValidatorTest, RejectsValuesWhereTheyMustNotMatter) {
  ExpectMalformed(
      WithBlock("relu",
                [](Block* b) { b->guard.push_back(Less(Load(3, kF32, {VarRef(b->iters[0].var)}), Float(0, kF32))); }),
      "a load where values must not matter");
}

// kInside and kOutside agree with looking at every point.
TEST(ContainmentTest, VerdictsHold) {
  int inside = 0;
  int outside = 0;
  for (int i = 0; i < 2000; ++i) {
    RandomExprs exprs(i);
    const Expr value = exprs.Index(2);
    const Expr condition = exprs.Condition(1);
    bool stays = true;
    exprs.ForEachPoint([&](const Point& point) {
      if (ValueAt(condition, point) == 0) return;
      stays = stays && ValueAt(value, point) >= 0 && ValueAt(value, point) < 30;
    });
    const Containment verdict = StaysInside(value, 30, {condition}, exprs.ranges());
    // A condition over other variables than the value's is left out, so that outside is only sure when one holds.
    if (verdict == Containment::kInside) {
      ASSERT_TRUE(stays) << Print(LoopNest{}, value);
    }
    inside += verdict == Containment::kInside;
    outside += verdict == Containment::kOutside && !stays;
  }
  EXPECT_GT(inside, 300);
  EXPECT_GT(outside, 300);
}

}  // namespace
}  // namespace tunefleet::codegen
