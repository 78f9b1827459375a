#include "tests/codegen/lowering/two_blocks.h"

#include <string>
#include <utility>
#include <vector>

namespace tunefleet::codegen {

LoopNest TwoBlocks(int64_t rows, int64_t columns, bool fused, Scope scope) {
  LoopNest nest{.name = "two"};
  nest.buffers = {{.name = "in", .shape = {rows, columns}, .role = Role::kInput},
                  {.name = "out", .shape = {rows, columns}, .role = Role::kOutput},
                  {.name = "t", .shape = {rows, columns}, .role = Role::kTemporary, .scope = scope}};
  const auto block = [&](const std::string& name, const Var& i, const Var& j, int from, int to) {
    Block b{.name = name};
    b.iters = {{MakeVar(name + ".bi"), IterKind::kSpatial, rows, VarRef(i)},
               {MakeVar(name + ".bj"), IterKind::kSpatial, columns, VarRef(j)}};
    const std::vector<Expr> at = {VarRef(b.iters[0].var), VarRef(b.iters[1].var)};
    b.body = {{to, at, StoreOp::kAssign, Load(from, ScalarType::kFloat32, at) * Float(2, ScalarType::kFloat32)}};
    return MakeStmt(WithInferredRegions(nest, b));
  };
  const auto loop = [](const Var& var, int64_t extent, LoopKind kind, Stmt body) {
    return MakeStmt(Loop{var, Int(0), Int(extent), kind, std::move(body)});
  };
  const Var i = MakeVar("i");
  const Var j = MakeVar("j");
  if (fused) {
    const Var k = MakeVar("k");
    const Stmt first = loop(j, columns, LoopKind::kSerial, block("a", i, j, 0, 2));
    const Stmt second = loop(k, columns, LoopKind::kSerial, block("b", i, k, 2, 1));
    nest.run = loop(i, rows, LoopKind::kParallel, MakeSeq({first, second}));
    return nest;
  }
  const Var i2 = MakeVar("i2");
  const Var j2 = MakeVar("j2");
  nest.run =
      MakeSeq({loop(i, rows, LoopKind::kParallel, loop(j, columns, LoopKind::kSerial, block("a", i, j, 0, 2))),
               loop(i2, rows, LoopKind::kSerial, loop(j2, columns, LoopKind::kSerial, block("b", i2, j2, 2, 1)))});
  return nest;
}

}  // namespace tunefleet::codegen
