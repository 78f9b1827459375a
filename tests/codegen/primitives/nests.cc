#include "tests/codegen/primitives/nests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/validator.h"
#include "codegen/operators/implementation.h"
#include "codegen/operators/workload.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/codegen/interpreter/random_nest.h"

namespace tunefleet::codegen {
namespace {

constexpr ScalarType kF32 = ScalarType::kFloat32;

struct Axis {
  std::string loop;
  std::string iter;
  int64_t extent;
  IterKind kind = IterKind::kSpatial;
};

Block BlockOver(const std::string& name, const std::vector<Axis>& axes) {
  Block block{.name = name};
  for (const Axis& axis : axes) {
    block.iters.push_back({MakeVar(axis.iter), axis.kind, axis.extent, VarRef(MakeVar(axis.loop))});
  }
  return block;
}

Stmt UnderLoops(const LoopNest& nest, Block block) {
  const std::vector<BlockIter> iters = block.iters;
  Stmt stmt = MakeStmt(WithInferredRegions(nest, std::move(block)));
  for (size_t i = iters.size(); i-- > 0;) {
    stmt = MakeStmt(Loop{iters[i].binding->var, Int(0), Int(iters[i].extent), LoopKind::kSerial, stmt});
  }
  return stmt;
}

}  // namespace

LoopNest MatmulNest(int64_t m, int64_t n, int64_t k) {
  enum { kA, kB, kBias, kT, kU, kOut };
  LoopNest nest{.name = "matmul"};
  nest.buffers = {{"a", kF32, {m, k}, Role::kInput},
                  {"b", kF32, {k, n}, Role::kConstant},
                  {"bias", kF32, {n}, Role::kConstant},
                  {"t", kF32, {m, n}, Role::kTemporary, Scope::kWorkspace},
                  {"u", kF32, {m, n}, Role::kTemporary, Scope::kWorkspace},
                  {"out", kF32, {m, n}, Role::kOutput}};
  Block mm = BlockOver("mm", {{"m", "i", m}, {"n", "j", n}, {"k", "k", k, IterKind::kReduction}});
  const auto at = [](const Block& block, size_t i) { return VarRef(block.iters[i].var); };
  mm.init = {{kT, {at(mm, 0), at(mm, 1)}, StoreOp::kAssign, Float(0, kF32)}};
  mm.body = {{kT,
              {at(mm, 0), at(mm, 1)},
              StoreOp::kAdd,
              Load(kA, kF32, {at(mm, 0), at(mm, 2)}) * Load(kB, kF32, {at(mm, 2), at(mm, 1)})}};
  Block bias = BlockOver("bias", {{"bm", "i", m}, {"bn", "j", n}});
  bias.body = {{kU,
                {at(bias, 0), at(bias, 1)},
                StoreOp::kAssign,
                Load(kT, kF32, {at(bias, 0), at(bias, 1)}) + Load(kBias, kF32, {at(bias, 1)})}};
  Block relu = BlockOver("relu", {{"rm", "i", m}, {"rn", "j", n}});
  relu.body = {{kOut,
                {at(relu, 0), at(relu, 1)},
                StoreOp::kAssign,
                Max(Load(kU, kF32, {at(relu, 0), at(relu, 1)}), Float(0, kF32))}};
  nest.run = MakeSeq({UnderLoops(nest, mm), UnderLoops(nest, bias), UnderLoops(nest, relu)});
  return nest;
}

LoopNest WindowNest(int64_t extent) {
  enum { kIn, kW, kOut };
  LoopNest nest{.name = "window"};
  nest.buffers = {
      {"in", kF32, {extent}, Role::kInput}, {"w", kF32, {3}, Role::kConstant}, {"out", kF32, {extent}, Role::kOutput}};
  Block conv = BlockOver("conv", {{"x", "x", extent}, {"r", "r", 3, IterKind::kReduction}});
  const Expr x = VarRef(conv.iters[0].var);
  const Expr r = VarRef(conv.iters[1].var);
  const Expr at = x + r - Int(1);
  conv.guard = {LessEqual(Int(0), at), Less(at, Int(extent))};
  conv.init = {{kOut, {x}, StoreOp::kAssign, Float(0, kF32)}};
  conv.body = {{kOut, {x}, StoreOp::kAdd, Load(kIn, kF32, {at}) * Load(kW, kF32, {r})}};
  nest.run = UnderLoops(nest, conv);
  return nest;
}

LoopNest OperatorNest(const std::string& op) {
  const absl::StatusOr<v1::Workload> workload = ParseOperator(op);
  EXPECT_TRUE(workload.ok()) << workload.status();
  v1::Target target;
  target.set_triple("x86_64-linux-gnu");
  const absl::StatusOr<v1::Workload> resolved = ResolveLayouts(*workload, target);
  EXPECT_TRUE(resolved.ok()) << resolved.status();
  const absl::StatusOr<LoopNest> nest = FreshNest(*resolved, "direct", 1);
  EXPECT_TRUE(nest.ok()) << nest.status();
  return *nest;
}

LoopNest ExpectSameValues(const LoopNest& nest, const ScheduleBuilder& schedule) {
  std::mt19937_64 random(7);
  const Buffers inputs = RandomInputs(nest, random);
  const absl::StatusOr<Buffers> expected = Interpret(nest, inputs);
  EXPECT_TRUE(expected.ok()) << expected.status();
  const absl::StatusOr<LoopNest> result = Replay(nest, schedule.schedule());
  EXPECT_TRUE(result.ok()) << result.status();
  if (!expected.ok() || !result.ok()) return nest;
  EXPECT_TRUE(Validate(*result).ok()) << Validate(*result) << Print(*result);
  for (const IterationOrder order : {IterationOrder::kForward, IterationOrder::kShuffled}) {
    const absl::StatusOr<Buffers> values = Interpret(*result, inputs, {.concurrent_order = order});
    EXPECT_TRUE(values.ok()) << values.status() << Print(*result);
    if (!values.ok()) continue;
    EXPECT_EQ(*values, *expected) << Print(*result);
  }
  return *result;
}

void ExpectRefused(const LoopNest& nest, const ScheduleBuilder& schedule, absl::StatusCode code,
                   const std::vector<std::string>& words) {
  const absl::StatusOr<LoopNest> result = Replay(nest, schedule.schedule());
  ASSERT_FALSE(result.ok()) << Print(*result);
  EXPECT_EQ(result.status().code(), code) << result.status();
  EXPECT_THAT(std::string(result.status().message()),
              testing::StartsWith(absl::StrCat("call ", schedule.schedule().calls_size(), ": ")));
  for (const std::string& word : words) {
    EXPECT_THAT(std::string(result.status().message()), testing::HasSubstr(word));
  }
}

}  // namespace tunefleet::codegen
