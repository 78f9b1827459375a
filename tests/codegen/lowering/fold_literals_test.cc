#include "codegen/lowering/fold_literals.h"

#include <string>
#include <vector>

#include "codegen/ir/printer.h"
#include "codegen/lowering/lower.h"
#include "gtest/gtest.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/codegen/ir/sample_nests.h"

namespace tunefleet::codegen {
namespace {

constexpr ScalarType kF32 = ScalarType::kFloat32;

// out[r] = sum over k of table[r, k] * x[k], the sum over k written out.
LoopNest TableTimesVector(int64_t columns, std::vector<double> table, LoopKind kind) {
  const int64_t rows = static_cast<int64_t>(table.size()) / columns;
  LoopNest nest;
  nest.name = "product";
  nest.buffers = {{.name = "x", .shape = {columns}, .role = Role::kInput},
                  {.name = "table", .shape = {rows, columns}, .role = Role::kLiteral, .literal = std::move(table)},
                  {.name = "out", .shape = {rows}, .role = Role::kOutput}};
  const Var r = MakeVar("r");
  Block block;
  block.name = "b";
  block.iters = {{MakeVar("vr"), IterKind::kSpatial, rows, VarRef(r)}};
  const Expr row = VarRef(block.iters[0].var);
  Expr sum;
  for (int64_t k = 0; k < columns; ++k) {
    const Expr product = Load(1, kF32, {row, Int(k)}) * Load(0, kF32, {Int(k)});
    sum = sum == nullptr ? product : sum + product;
  }
  block.body = {{2, {row}, StoreOp::kAssign, sum}};
  nest.run = For(r, rows, MakeStmt(WithInferredRegions(nest, block)), kind);
  return nest;
}

std::vector<std::string> Stored(const LoopNest& nest) {
  std::vector<std::string> values;
  const Seq* seq = As<Seq>(nest.run);
  for (const Stmt& stmt : seq == nullptr ? std::vector<Stmt>{nest.run} : seq->stmts) {
    const Block* block = As<Block>(stmt);
    values.push_back(block == nullptr ? Print(nest, stmt) : Print(nest, block->body[0].value));
  }
  return values;
}

TEST(FoldLiteralsTest, UnrolledSumsBecomeFewAdditions) {
  const LoopNest nest = TableTimesVector(4, {1,  0,    -1,  0,   //
                                             0,  -0.5, 0.5, 0,   //
                                             0,  0,    0,   0,   //
                                             0,  2,    -1,  0,   //
                                             0,  0,    0,   -1,  //
                                             -1, 1,    0,   4},
                                         LoopKind::kUnrolled);
  const absl::StatusOr<LoweredNest> lowered = Lower(nest);
  ASSERT_TRUE(lowered.ok()) << lowered.status();
  EXPECT_EQ(Stored(lowered->nest),
            (std::vector<std::string>{"x[0] - x[2]", "(x[1] - x[2])*(-0.5f)", "0.0f", "x[1]*2.0f - x[2]",
                                      "x[3]*(-1.0f)", "x[3]*4.0f - (x[0] - x[1])"}));
  const Buffers inputs = {{"x", {3, -5, 7, 11}}};
  EXPECT_EQ(Interpret(lowered->nest, inputs).value(), Interpret(nest, inputs).value());
}

TEST(FoldLiteralsTest, LoadsAtIndicesThatVaryStay) {
  const LoopNest nest = TableTimesVector(2, {1, 2, 3, 4, 5, 6}, LoopKind::kSerial);
  const LoopNest lowered = Lower(nest)->nest;
  EXPECT_NE(Print(lowered).find("table[r, 0]"), std::string::npos) << Print(lowered);
  const Buffers inputs = {{"x", {3, -5}}};
  EXPECT_EQ(Interpret(lowered, inputs).value(), Interpret(nest, inputs).value());
}

// Rows of a transform that differ in the signs of some columns share the sums over the others.
TEST(FoldLiteralsTest, RowsThatDifferInSignsShareTheirParts) {
  LoopNest nest = TableTimesVector(4, {-4, 1, -4, 1, -4, 1, 4, -1}, LoopKind::kUnrolled);
  const Loop& loop = *As<Loop>(nest.run);
  Block block = *As<Block>(loop.body);
  const Expr row = block.body[0].indices[0];
  const auto term = [&](int64_t k) { return Load(1, kF32, {row, Int(k)}) * Load(0, kF32, {Int(k)}); };
  block.body[0].value = (term(1) + term(0)) + (term(3) + term(2));
  nest.run = MakeStmt(Loop{loop.var, loop.begin, loop.extent, loop.kind, MakeStmt(block)});
  EXPECT_EQ(Stored(Lower(nest)->nest), (std::vector<std::string>{"x[1] - x[0]*4.0f + (x[3] - x[2]*4.0f)",
                                                                 "x[1] - x[0]*4.0f - (x[3] - x[2]*4.0f)"}));
}

// What loads no literal keeps its zeros.
TEST(FoldLiteralsTest, OtherValuesAreLeftAlone) {
  LoopNest nest = TableTimesVector(1, {1}, LoopKind::kUnrolled);
  const Loop& loop = *As<Loop>(nest.run);
  Block block = *As<Block>(loop.body);
  block.body[0].value = Float(0, kF32) * Load(0, kF32, {Int(0)}) + Float(0, kF32);
  nest.run = MakeStmt(Loop{loop.var, loop.begin, loop.extent, loop.kind, MakeStmt(block)});
  EXPECT_EQ(Stored(Lower(nest)->nest), std::vector<std::string>{Print(nest, block.body[0].value)});
}

}  // namespace
}  // namespace tunefleet::codegen
