// Loop nests written by hand.
#ifndef TUNEFLEET_TESTS_CODEGEN_IR_SAMPLE_NESTS_H_
#define TUNEFLEET_TESTS_CODEGEN_IR_SAMPLE_NESTS_H_

#include <utility>

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

inline Stmt For(const Var& var, int64_t extent, Stmt body, LoopKind kind = LoopKind::kSerial) {
  return MakeStmt(Loop{var, Int(0), Int(extent), kind, std::move(body)});
}

// A padded 1-D convolution over packed weights, and a relu:
//   out[x] = max(0, sum_k data[x + k - 1] * weight[2 - k]).
inline LoopNest PaddedConvolution() {
  const ScalarType f32 = ScalarType::kFloat32;
  LoopNest nest;
  nest.name = "conv1d";
  nest.buffers = {{"data", f32, {9}, Role::kInput},
                  {"weight", f32, {3}, Role::kConstant},
                  {"packed", f32, {3}, Role::kPrepared},
                  {"acc", f32, {9}, Role::kTemporary, Scope::kLocal, 1},
                  {"out", f32, {9}, Role::kOutput}};
  const Var p = MakeVar("p");
  const Var xo = MakeVar("x.o");
  const Var xi = MakeVar("x.i");
  const Var k = MakeVar("k");
  const Var y = MakeVar("y");
  const auto iter = [](const char* name, IterKind kind, int64_t extent, const Expr& binding) {
    return BlockIter{MakeVar(name), kind, extent, binding};
  };

  Block pack;
  pack.name = "pack";
  pack.iters = {iter("vp", IterKind::kSpatial, 3, VarRef(p))};
  const Expr vp = VarRef(pack.iters[0].var);
  pack.body = {{2, {vp}, StoreOp::kAssign, Load(1, f32, {Int(2) - vp})}};
  nest.prepare = For(p, 3, MakeStmt(WithInferredRegions(nest, std::move(pack))));

  Block conv;
  conv.name = "conv";
  const Expr x = VarRef(xo) * Int(4) + VarRef(xi);
  conv.iters = {iter("vx", IterKind::kSpatial, 9, x), iter("vk", IterKind::kReduction, 3, VarRef(k))};
  conv.predicate = {Less(x, Int(9))};
  const Expr vx = VarRef(conv.iters[0].var);
  const Expr vk = VarRef(conv.iters[1].var);
  const Expr tap = vx + vk - Int(1);
  conv.guard = {LessEqual(Int(0), tap), Less(tap, Int(9))};
  conv.init = {{3, {vx}, StoreOp::kAssign, Zero(f32)}};
  conv.body = {{3, {vx}, StoreOp::kAdd, Load(0, f32, {tap}) * Load(2, f32, {vk})}};
  const Stmt conv_stmt =
      For(xo, 3, For(k, 3, For(xi, 4, MakeStmt(WithInferredRegions(nest, std::move(conv))), LoopKind::kVectorized)),
          LoopKind::kParallel);

  Block relu;
  relu.name = "relu";
  relu.iters = {iter("vy", IterKind::kSpatial, 9, VarRef(y))};
  const Expr vy = VarRef(relu.iters[0].var);
  relu.body = {{4, {vy}, StoreOp::kAssign, Max(Load(3, f32, {vy}), Float(0, f32))}};
  nest.run = MakeSeq({conv_stmt, For(y, 9, MakeStmt(WithInferredRegions(nest, std::move(relu))))});
  return nest;
}

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_IR_SAMPLE_NESTS_H_
