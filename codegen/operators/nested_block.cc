#include "codegen/operators/nested_block.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tunefleet::codegen {

NestedBlock::NestedBlock(std::string block, const std::string& prefix, std::vector<Axis> axes)
    : axes_(std::move(axes)) {
  block_.name = std::move(block);
  for (const Axis& axis : axes_) {
    loops_.push_back(MakeVar(absl::StrCat(prefix, axis.name)));
    block_.iters.push_back({MakeVar(axis.name), axis.kind, axis.extent, VarRef(loops_.back())});
  }
}

Expr NestedBlock::At(absl::string_view axis) const {
  for (size_t i = 0; i < axes_.size(); ++i) {
    if (axes_[i].name == axis) return VarRef(block_.iters[i].var);
  }
  return Int(0);
}

std::vector<Expr> NestedBlock::AtAll(const std::vector<std::string>& axes) const {
  std::vector<Expr> indices;
  for (const std::string& axis : axes) indices.push_back(At(axis));
  return indices;
}

Stmt NestedBlock::Finish(const LoopNest& nest) const {
  Stmt stmt = MakeStmt(WithInferredRegions(nest, block_));
  for (size_t i = axes_.size(); i-- > 0;) {
    stmt = MakeStmt(Loop{loops_[i], Int(0), Int(axes_[i].extent), LoopKind::kSerial, stmt});
  }
  return stmt;
}

Expr F32(double value) { return Float(value, ScalarType::kFloat32); }
Expr F32Load(int buffer, std::vector<Expr> indices) { return Load(buffer, ScalarType::kFloat32, std::move(indices)); }

Expr LoadOf(const LoopNest& nest, int buffer, std::vector<Expr> indices) {
  return Load(buffer, nest.buffers[buffer].type, std::move(indices));
}

Expr LoadAs(ScalarType type, const LoopNest& nest, int buffer, std::vector<Expr> indices) {
  return Cast(type, LoadOf(nest, buffer, std::move(indices)));
}

Channel ChannelAt(const Expr& outer, const Expr& lane, int64_t block, int64_t channels) {
  const Expr index = block == 1 ? outer : outer * Int(block) + lane;
  return {index, channels % block == 0 ? nullptr : Less(index, Int(channels))};
}

Expr WhereExists(const Expr& exists, Expr value) {
  return exists == nullptr ? value : Select(exists, value, Zero(value->type));
}

Expr BothHold(const Expr& a, const Expr& b) { return a == nullptr ? b : b == nullptr ? a : And(a, b); }

Stmt EpilogueStmt(const v1::OperatorNode& node, const OutputAxes& out, int input, int bias, int output,
                  const LoopNest& nest) {
  NestedBlock nested(node.kind(), absl::StrCat(node.kind(), "_"), out.axes);
  const std::vector<Expr> at = nested.AtAll(out.indices);
  const ScalarType type = nest.buffers[output].type;
  Expr value = LoadAs(type, nest, input, at);
  if (node.kind() == "relu") {
    value = Max(value, Zero(type));
  } else {
    const Channel channel =
        ChannelAt(nested.At(out.channel_outer), nested.At(out.channel_lane), out.block, out.channels);
    value = value + WhereExists(channel.exists, LoadAs(type, nest, bias, {channel.index}));
  }
  nested.block().body = {Store{output, at, StoreOp::kAssign, value}};
  return nested.Finish(nest);
}

}  // namespace tunefleet::codegen
