#include "tests/codegen/lowering/conv_nest.h"

#include <utility>
#include <vector>

namespace tunefleet::codegen {
namespace {

struct LoopSpec {
  Var var;
  int64_t extent;
  LoopKind kind = LoopKind::kSerial;
};

Stmt Wrap(const std::vector<LoopSpec>& loops, Stmt body) {
  for (size_t i = loops.size(); i-- > 0;) {
    body = MakeStmt(Loop{loops[i].var, Int(0), Int(loops[i].extent), loops[i].kind, std::move(body)});
  }
  return body;
}

// The tile's three blocks differ in their loops only: co, h, w, c of the output.
std::vector<BlockIter> OutputIters(const ConvShape& shape, const std::string& block,
                                   const std::vector<Expr>& bindings) {
  return {{MakeVar(block + ".n"), IterKind::kSpatial, shape.blocks_out, bindings[0]},
          {MakeVar(block + ".h"), IterKind::kSpatial, shape.size, bindings[1]},
          {MakeVar(block + ".w"), IterKind::kSpatial, shape.size, bindings[2]},
          {MakeVar(block + ".c"), IterKind::kSpatial, shape.lanes, bindings[3]}};
}

std::vector<Expr> Refs(const std::vector<BlockIter>& iters, size_t count) {
  std::vector<Expr> refs;
  for (size_t i = 0; i < count; ++i) refs.push_back(VarRef(iters[i].var));
  return refs;
}

}  // namespace

LoopNest ConvNest(const ConvShape& shape, const ConvTiling& tiling) {
  constexpr ScalarType kType = ScalarType::kFloat32;
  LoopNest nest{.name = "conv"};
  const std::vector<int64_t> output = {shape.blocks_out, shape.size, shape.size, shape.lanes};
  nest.buffers = {
      {.name = "in", .shape = {shape.blocks_in, shape.size, shape.size, shape.lanes}, .role = Role::kInput},
      {.name = "weights",
       .shape = {shape.blocks_out, shape.blocks_in, 3, 3, shape.lanes, shape.lanes},
       .role = Role::kConstant},
      {.name = "out", .shape = output, .role = Role::kOutput},
      {.name = "acc", .shape = output, .role = Role::kTemporary, .scope = Scope::kLocal},
  };
  const Var co = MakeVar("co.o");
  const Var oh = MakeVar("oh");
  const Var tile = MakeVar("ow.o");

  const auto tile_loops = [&](const std::string& prefix) {
    return std::vector<LoopSpec>{{MakeVar(prefix + ".ow.i"), tiling.tile_w, LoopKind::kUnrolled},
                                 {MakeVar(prefix + ".co.i"), tiling.tile_co, LoopKind::kUnrolled},
                                 {MakeVar(prefix + ".v"), shape.lanes, LoopKind::kVectorized}};
  };
  const auto bindings = [&](const std::vector<LoopSpec>& loops) {
    return std::vector<Expr>{VarRef(co) * Int(tiling.tile_co) + VarRef(loops[1].var), VarRef(oh),
                             VarRef(tile) * Int(tiling.tile_w) + VarRef(loops[0].var), VarRef(loops[2].var)};
  };

  const std::vector<LoopSpec> init_loops = tile_loops("init");
  Block init{.name = "init", .iters = OutputIters(shape, "init", bindings(init_loops))};
  init.body = {{3, Refs(init.iters, 4), StoreOp::kAssign, Float(0, kType)}};

  const std::vector<LoopSpec> update_loops = tile_loops("update");
  const Var ci_o = MakeVar("ci.o");
  const Var ci_m = MakeVar("ci.m");
  const Var ci_i = MakeVar("ci.i");
  const Var kh = MakeVar("kh");
  const Var kw = MakeVar("kw");
  Block update{.name = "update", .iters = OutputIters(shape, "update", bindings(update_loops))};
  update.iters.push_back({MakeVar("update.ci.o"), IterKind::kReduction, shape.blocks_in, VarRef(ci_o)});
  update.iters.push_back(
      {MakeVar("update.ci.i"), IterKind::kReduction, shape.lanes, VarRef(ci_m) * Int(tiling.unroll_ci) + VarRef(ci_i)});
  update.iters.push_back({MakeVar("update.kh"), IterKind::kReduction, 3, VarRef(kh)});
  update.iters.push_back({MakeVar("update.kw"), IterKind::kReduction, 3, VarRef(kw)});
  const std::vector<Expr> it = Refs(update.iters, 8);
  const Expr h = it[1] + it[6] - Int(1);
  const Expr w = it[2] + it[7] - Int(1);
  update.guard = {LessEqual(Int(0), h), Less(h, Int(shape.size)), LessEqual(Int(0), w), Less(w, Int(shape.size))};
  update.body = {{3, Refs(update.iters, 4), StoreOp::kAdd,
                  Load(0, kType, {it[4], h, w, it[5]}) * Load(1, kType, {it[0], it[4], it[6], it[7], it[5], it[3]})}};

  const std::vector<LoopSpec> store_loops = tile_loops("store");
  Block store{.name = "store", .iters = OutputIters(shape, "store", bindings(store_loops))};
  store.body = {{2, Refs(store.iters, 4), StoreOp::kAssign, Load(3, kType, Refs(store.iters, 4))}};

  std::vector<LoopSpec> reduction = {{ci_o, shape.blocks_in}, {kh, 3}};
  const LoopSpec taps{kw, 3, tiling.kw};
  const LoopSpec channels{ci_m, shape.lanes / tiling.unroll_ci};
  if (tiling.kw == LoopKind::kUnrolled) {
    reduction.insert(reduction.end(), {channels, taps});
  } else {
    reduction.insert(reduction.end(), {taps, channels});
  }
  reduction.push_back({ci_i, tiling.unroll_ci, LoopKind::kUnrolled});
  reduction.insert(reduction.end(), update_loops.begin(), update_loops.end());

  const Stmt body = MakeSeq({Wrap(init_loops, MakeStmt(WithInferredRegions(nest, init))),
                             Wrap(reduction, MakeStmt(WithInferredRegions(nest, update))),
                             Wrap(store_loops, MakeStmt(WithInferredRegions(nest, store)))});
  nest.run = Wrap({{co, shape.blocks_out / tiling.tile_co, tiling.outer},
                   {oh, shape.size},
                   {tile, shape.size / tiling.tile_w, tiling.tiles}},
                  body);
  return nest;
}

}  // namespace tunefleet::codegen
