#include "codegen/ir/tensor_intrinsic.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// Loops from 0 to the extents, outermost first, around the block.
Stmt Nested(const std::vector<std::pair<Var, int64_t>>& loops, Stmt stmt) {
  for (size_t i = loops.size(); i-- > 0;) {
    stmt = MakeStmt(Loop{loops[i].first, Int(0), Int(loops[i].second), LoopKind::kSerial, stmt});
  }
  return stmt;
}

TensorIntrinsic Transpose(int64_t size, std::string x86_feature) {
  constexpr ScalarType kType = ScalarType::kFloat32;
  TensorIntrinsic intrinsic{.name = absl::StrCat("transpose.", size, "x", size, ".f32"),
                            .architecture = "x86_64",
                            .feature = std::move(x86_feature),
                            .elsewhere = true};
  LoopNest& nest = intrinsic.description;
  nest.name = intrinsic.name;
  nest.buffers = {{"from", kType, {size, size}, Role::kInput}, {"to", kType, {size, size}, Role::kOutput}};
  const Var i = MakeVar("i"), j = MakeVar("j"), row = MakeVar("row"), column = MakeVar("column");
  Block block{.name = "transpose",
              .iters = {{row, IterKind::kSpatial, size, VarRef(i)}, {column, IterKind::kSpatial, size, VarRef(j)}}};
  block.body = {{1, {VarRef(column), VarRef(row)}, StoreOp::kAssign, Load(0, kType, {VarRef(row), VarRef(column)})}};
  nest.run = Nested({{i, size}, {j, size}}, MakeStmt(WithInferredRegions(nest, std::move(block))));
  return intrinsic;
}

TensorIntrinsic Dot() {
  constexpr int64_t kLanes = 4, kProducts = 4;
  TensorIntrinsic intrinsic{.name = "dot.4x4.s8", .architecture = "aarch64", .feature = "dotprod"};
  LoopNest& nest = intrinsic.description;
  nest.name = intrinsic.name;
  nest.buffers = {{"sum", ScalarType::kInt32, {kLanes}, Role::kOutput},
                  {"a", ScalarType::kInt8, {kProducts}, Role::kInput},
                  {"b", ScalarType::kInt8, {kLanes * kProducts}, Role::kInput}};
  const Var i = MakeVar("i"), j = MakeVar("j"), lane = MakeVar("lane"), k = MakeVar("k");
  Block block{
      .name = "dot",
      .iters = {{lane, IterKind::kSpatial, kLanes, VarRef(i)}, {k, IterKind::kReduction, kProducts, VarRef(j)}}};
  const auto factor = [](int buffer, const Expr& index) {
    return Cast(ScalarType::kInt32, Load(buffer, ScalarType::kInt8, {index}));
  };
  block.body = {
      {0, {VarRef(lane)}, StoreOp::kAdd, factor(1, VarRef(k)) * factor(2, VarRef(lane) * Int(kProducts) + VarRef(k))}};
  nest.run = Nested({{i, kLanes}, {j, kProducts}}, MakeStmt(WithInferredRegions(nest, std::move(block))));
  return intrinsic;
}

const std::vector<TensorIntrinsic>& Intrinsics() {
  static const auto* const intrinsics =
      new std::vector<TensorIntrinsic>{Transpose(16, "avx512f"), Transpose(8, "avx"), Dot()};
  return *intrinsics;
}

// By how much a linear index moves with the variable.
int64_t StrideOf(const Expr& index, const Var& var) {
  for (const auto& [atom, coefficient] : LinearFormOf(index).terms) {
    if (UsesVar(atom, var)) return coefficient;
  }
  return 0;
}

// The element's number in its buffer.
Expr FlatIndex(const Buffer& buffer, const std::vector<Expr>& indices) {
  Expr flat = Int(0);
  for (size_t d = 0; d < indices.size(); ++d) {
    const bool innermost = d + 1 == indices.size();
    flat = flat * Int(buffer.shape[d] + (innermost ? buffer.row_padding : 0)) + indices[d];
  }
  return flat;
}

class Matcher {
 public:
  Matcher(const LoopNest& nest, const TensorIntrinsic& intrinsic, const VarRanges& ranges)
      : nest_(nest), intrinsic_(intrinsic), ranges_(ranges) {}

  absl::StatusOr<IntrinsicMatch> Match(const Stmt& stmt) {
    Stmt pattern = intrinsic_.description.run;
    Stmt program = stmt;
    while (const Loop* expected = As<Loop>(pattern)) {
      const Loop* loop = As<Loop>(program);
      if (loop == nullptr) return Differs(absl::StrCat("a loop like '", expected->var->name, "' is missing"));
      const std::optional<int64_t> extent = ConstantInt(loop->extent);
      if (ConstantInt(loop->begin) != 0 || extent != ConstantInt(expected->extent)) {
        return Differs(absl::StrCat("loop '", loop->var->name, "' has another range than [0, ",
                                    *ConstantInt(expected->extent), ")"));
      }
      ranges_[loop->var] = {0, *extent - 1};
      match_.loops.push_back(loop);
      pattern_loops_.push_back(expected);
      pattern = expected->body;
      program = loop->body;
    }
    match_.block = As<Block>(program);
    if (match_.block == nullptr) return Differs("its loops hold more than one block");
    TF_RETURN_IF_ERROR(MatchBlock(*As<Block>(pattern), *match_.block));
    return std::move(match_);
  }

 private:
  absl::Status Differs(absl::string_view what) const {
    return absl::FailedPreconditionError(absl::StrCat("this is not intrinsic '", intrinsic_.name, "': ", what));
  }

  absl::Status MatchBlock(const Block& expected, const Block& block) {
    if (!block.init.empty()) return Differs(absl::StrCat("block '", block.name, "' has an init"));
    const VarMap pattern_loops = BindingsOf(expected), loops = BindingsOf(block);
    for (const Expr& condition : block.predicate) TF_RETURN_IF_ERROR(CheckUniform(condition));
    for (const Expr& condition : block.guard) TF_RETURN_IF_ERROR(CheckUniform(Substitute(condition, loops)));
    if (block.body.size() != 1 || block.body[0].op != expected.body[0].op) {
      return Differs(absl::StrCat("block '", block.name, "' stores something else"));
    }
    const Store& pattern = expected.body[0];
    const Store& store = block.body[0];
    TF_RETURN_IF_ERROR(MatchAccess(pattern.buffer, pattern.indices, pattern_loops, store.buffer, store.indices, loops));
    return MatchValue(pattern.value, pattern_loops, store.value, loops);
  }

  absl::Status CheckUniform(const Expr& condition) const {
    for (const Loop* loop : match_.loops) {
      if (UsesVar(condition, loop->var)) {
        return Differs(absl::StrCat("a predicate or guard depends on loop '", loop->var->name, "'"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status MatchValue(const Expr& expected, const VarMap& pattern_loops, const Expr& value, const VarMap& loops) {
    const bool same_node = expected->kind == value->kind && expected->type == value->type &&
                           expected->op == value->op && expected->int_value == value->int_value &&
                           expected->float_value == value->float_value &&
                           expected->operands.size() == value->operands.size();
    if (expected->kind == ExprKind::kLoad && value->kind == ExprKind::kLoad) {
      return MatchAccess(expected->buffer, expected->operands, pattern_loops, value->buffer, value->operands, loops);
    }
    if (!same_node) return Differs("another value is stored");
    for (size_t i = 0; i < expected->operands.size(); ++i) {
      TF_RETURN_IF_ERROR(MatchValue(expected->operands[i], pattern_loops, value->operands[i], loops));
    }
    return absl::OkStatus();
  }

  absl::Status MatchAccess(int pattern_buffer, const std::vector<Expr>& pattern_indices, const VarMap& pattern_loops,
                           int buffer, const std::vector<Expr>& indices, const VarMap& loops) {
    const std::string& name = nest_.buffers[buffer].name;
    const auto [known, is_new] = buffers_.emplace(pattern_buffer, buffer);
    const bool taken = std::count_if(buffers_.begin(), buffers_.end(),
                                     [buffer](const auto& pair) { return pair.second == buffer; }) > 1;
    if (known->second != buffer || taken) return Differs(absl::StrCat("buffer '", name, "' plays two parts"));
    if (nest_.buffers[buffer].type != intrinsic_.description.buffers[pattern_buffer].type) {
      return Differs(absl::StrCat("buffer '", name, "' has elements of another type"));
    }
    std::vector<Expr> bound;
    for (const Expr& index : indices) bound.push_back(Simplify(Substitute(index, loops), ranges_));
    const LinearForm form = LinearFormOf(Simplify(FlatIndex(nest_.buffers[buffer], bound), ranges_));
    for (size_t i = 0; i < match_.loops.size(); ++i) {
      const Var& var = match_.loops[i]->var;
      int64_t stride = 0;
      for (const auto& [atom, coefficient] : form.terms) {
        if (!UsesVar(atom, var)) continue;
        if (atom->kind != ExprKind::kVar) {
          return Differs(absl::StrCat("an index of buffer '", name, "' is not linear in loop '", var->name, "'"));
        }
        stride = coefficient;
      }
      // Where the description's loop stands: in the last dimension, in another one, or nowhere.
      std::optional<size_t> dimension;
      for (size_t d = 0; d < pattern_indices.size(); ++d) {
        if (UsesVar(Substitute(pattern_indices[d], pattern_loops), pattern_loops_[i]->var)) dimension = d;
      }
      const bool dense = dimension.has_value() && *dimension + 1 == pattern_indices.size();
      const int64_t expected =
          dense ? StrideOf(Substitute(pattern_indices.back(), pattern_loops), pattern_loops_[i]->var) : 0;
      if (dense ? stride != expected : dimension.has_value() != (stride != 0)) {
        return Differs(absl::StrCat("buffer '", name, "' has a stride of ", stride, " along loop '", var->name, "'",
                                    dense ? absl::StrCat(", expected ", expected) : ""));
      }
    }
    return absl::OkStatus();
  }

  const LoopNest& nest_;
  const TensorIntrinsic& intrinsic_;
  VarRanges ranges_;
  IntrinsicMatch match_;
  std::vector<const Loop*> pattern_loops_;
  std::map<int, int> buffers_;  // the description's to the program's
};

}  // namespace

const TensorIntrinsic* FindIntrinsic(absl::string_view name) {
  const auto found = std::find_if(Intrinsics().begin(), Intrinsics().end(),
                                  [name](const TensorIntrinsic& intrinsic) { return intrinsic.name == name; });
  return found == Intrinsics().end() ? nullptr : &*found;
}

std::vector<std::string> IntrinsicNames() {
  std::vector<std::string> names;
  for (const TensorIntrinsic& intrinsic : Intrinsics()) names.push_back(intrinsic.name);
  return names;
}

absl::StatusOr<IntrinsicMatch> MatchIntrinsic(const LoopNest& nest, const TensorIntrinsic& intrinsic, const Stmt& stmt,
                                              VarRanges ranges) {
  return Matcher(nest, intrinsic, ranges).Match(stmt);
}

}  // namespace tunefleet::codegen
