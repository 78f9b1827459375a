#include "codegen/ir/validator.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "codegen/ir/containment.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/tensor_intrinsic.h"
#include "codegen/ir/tree.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

template <typename... Parts>
absl::Status Malformed(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

// What the program does with each buffer.
struct Uses {
  absl::flat_hash_set<int> loaded;
  absl::flat_hash_set<int> stored;
};

// Checks one block, whose loops are known.
class BlockChecker {
 public:
  BlockChecker(const LoopNest& nest, const Block& block, const std::vector<const Loop*>& loops, Uses* uses)
      : nest_(nest), block_(block), loops_(loops), uses_(uses) {}

  absl::Status Check() {
    for (const Loop* loop : loops_) loop_vars_.insert(loop->var);
    loop_ranges_ = LoopRanges(loops_);
    for (const Loop* loop : loops_) {  // what the box leaves out
      if (loop->begin->kind == ExprKind::kInt && loop->extent->kind == ExprKind::kInt) continue;
      loop_conditions_.push_back(LessEqual(loop->begin, VarRef(loop->var)));
      loop_conditions_.push_back(Less(VarRef(loop->var), loop->begin + loop->extent));
    }
    TF_RETURN_IF_ERROR(CheckConditions(block_.predicate, loop_vars_, "predicate"));
    loop_conditions_.insert(loop_conditions_.end(), block_.predicate.begin(), block_.predicate.end());
    TF_RETURN_IF_ERROR(CheckIters());
    TF_RETURN_IF_ERROR(CheckConditions(block_.guard, iter_vars_, "guard"));
    TF_RETURN_IF_ERROR(CheckRegions(block_.reads));
    TF_RETURN_IF_ERROR(CheckRegions(block_.writes));
    if (block_.body.empty()) return Malformed(Place(), ": no statement to do");
    TF_RETURN_IF_ERROR(CheckInit());
    for (const Store& store : block_.body) TF_RETURN_IF_ERROR(CheckStore(store, block_.guard));
    return absl::OkStatus();
  }

 private:
  std::string Place() const { return absl::StrCat("block ", block_.name); }

  absl::Status CheckConditions(const std::vector<Expr>& conditions, const VarSet& scope, absl::string_view what) {
    for (const Expr& condition : conditions) {
      TF_RETURN_IF_ERROR(CheckExpr(condition, scope, /*loads=*/false));
      if (condition->type != ScalarType::kBool) {
        return Malformed(Place(), ": ", what, " ", Print(nest_, condition), " is no bool");
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckIters() {
    for (const BlockIter& iter : block_.iters) {
      if (!iter_vars_.insert(iter.var).second) return Malformed(Place(), ": iterator ", iter.var->name, " twice");
      if (iter.extent < 1) return Malformed(Place(), ": iterator ", iter.var->name, " has extent ", iter.extent);
      TF_RETURN_IF_ERROR(CheckExpr(iter.binding, loop_vars_, /*loads=*/false));
      if (iter.binding->type != ScalarType::kIndex) {
        return Malformed(Place(), ": the binding of iterator ", iter.var->name, " is no index");
      }
      if (StaysInside(iter.binding, iter.extent, loop_conditions_, loop_ranges_) == Containment::kOutside) {
        return Malformed(Place(), ": iterator ", iter.var->name, " = ", Print(nest_, iter.binding), " leaves [0, ",
                         iter.extent, ")");
      }
    }
    for (size_t i = 0; i < block_.iters.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (block_.iters[i].var->name == block_.iters[j].var->name) {
          return Malformed(Place(), ": two iterators are named ", block_.iters[i].var->name);
        }
      }
    }
    iter_ranges_ = IterRanges(block_, loop_ranges_);
    bindings_ = BindingsOf(block_);
    return absl::OkStatus();
  }

  absl::Status CheckRegions(const std::vector<BufferRegion>& regions) {
    absl::flat_hash_set<int> seen;
    for (const BufferRegion& region : regions) {
      TF_RETURN_IF_ERROR(CheckRank(region.buffer, region.ranges.size()));
      const std::string& name = nest_.buffers[region.buffer].name;
      if (!seen.insert(region.buffer).second) return Malformed(Place(), ": two regions of buffer ", name);
      for (const Range& range : region.ranges) {
        if (range.extent < 1) return Malformed(Place(), ": a region of buffer ", name, " is empty");
        TF_RETURN_IF_ERROR(CheckExpr(range.begin, iter_vars_, /*loads=*/false));
        if (range.begin->type != ScalarType::kIndex) {
          return Malformed(Place(), ": a region of buffer ", name, " begins at what is no index");
        }
      }
    }
    return absl::OkStatus();
  }

  // Init runs at the first point of the reduction, guard or not.
  absl::Status CheckInit() {
    const std::vector<Expr> loop_conditions = loop_conditions_;
    const VarRanges iter_ranges = iter_ranges_;
    for (const BlockIter& iter : block_.iters) {
      if (iter.kind != IterKind::kReduction) continue;
      loop_conditions_.push_back(Equal(iter.binding, Int(0)));
      iter_ranges_[iter.var] = {0, 0};
    }
    for (const Store& store : block_.init) {
      if (store.op != StoreOp::kAssign) return Malformed(Place(), ": init does not assign");
      TF_RETURN_IF_ERROR(CheckStore(store, {}));
    }
    loop_conditions_ = loop_conditions;
    iter_ranges_ = iter_ranges;
    return absl::OkStatus();
  }

  absl::Status CheckStore(const Store& store, const std::vector<Expr>& conditions) {
    TF_RETURN_IF_ERROR(CheckRank(store.buffer, store.indices.size()));
    const Buffer& buffer = nest_.buffers[store.buffer];
    if (store.value->type != buffer.type) {
      return Malformed(Place(), ": the value stored to ", buffer.name, " has another type");
    }
    if (store.op == StoreOp::kMax && buffer.type == ScalarType::kBool) return Malformed(Place(), ": max= of bools");
    for (const Expr& index : store.indices) TF_RETURN_IF_ERROR(CheckExpr(index, iter_vars_, /*loads=*/true));
    TF_RETURN_IF_ERROR(CheckExpr(store.value, iter_vars_, /*loads=*/true));
    TF_RETURN_IF_ERROR(CheckAccess(store.buffer, store.indices, block_.writes, "written", conditions));
    uses_->stored.insert(store.buffer);
    for (const Expr& index : store.indices) TF_RETURN_IF_ERROR(CheckLoads(index, conditions));
    return CheckLoads(store.value, conditions);
  }

  absl::Status CheckLoads(const Expr& expr, const std::vector<Expr>& conditions) {
    if (expr->kind == ExprKind::kSelect) {
      TF_RETURN_IF_ERROR(CheckLoads(expr->operands[0], conditions));
      std::vector<Expr> when_true = conditions;
      when_true.push_back(expr->operands[0]);
      TF_RETURN_IF_ERROR(CheckLoads(expr->operands[1], when_true));
      const std::optional<Expr> negation = Negation(expr->operands[0]);
      std::vector<Expr> when_false = conditions;
      if (negation) when_false.push_back(*negation);
      return CheckLoads(expr->operands[2], when_false);
    }
    if (expr->kind == ExprKind::kLoad) {
      TF_RETURN_IF_ERROR(CheckAccess(expr->buffer, expr->operands, block_.reads, "read", conditions));
      uses_->loaded.insert(expr->buffer);
    }
    for (const Expr& operand : expr->operands) TF_RETURN_IF_ERROR(CheckLoads(operand, conditions));
    return absl::OkStatus();
  }

  absl::Status CheckAccess(int buffer, const std::vector<Expr>& indices, const std::vector<BufferRegion>& regions,
                           absl::string_view how, const std::vector<Expr>& conditions) {
    const Buffer& target = nest_.buffers[buffer];
    const auto region = std::find_if(regions.begin(), regions.end(),
                                     [buffer](const BufferRegion& candidate) { return candidate.buffer == buffer; });
    const bool declares = !block_.reads.empty() || !block_.writes.empty();
    if (declares && region == regions.end()) {
      return Malformed(Place(), ": buffer ", target.name, " is ", how, " but no region says so");
    }
    for (size_t d = 0; d < indices.size(); ++d) {
      if (!MayStayInside(indices[d], target.shape[d], conditions)) {
        return Malformed(Place(), ": index ", Print(nest_, indices[d]), " of ", target.name, " leaves [0, ",
                         target.shape[d], ")");
      }
      if (declares && !MayStayInside(indices[d] - region->ranges[d].begin, region->ranges[d].extent, conditions)) {
        return Malformed(Place(), ": index ", Print(nest_, indices[d]), " of ", target.name, " leaves the region ",
                         how);
      }
    }
    return absl::OkStatus();
  }

  // Over the iterators, where most proofs are found; else over the loops, where every point is one that runs.
  bool MayStayInside(const Expr& index, int64_t extent, const std::vector<Expr>& conditions) const {
    if (StaysInside(index, extent, conditions, iter_ranges_) == Containment::kInside) return true;
    std::vector<Expr> over_loops = loop_conditions_;
    for (const Expr& condition : conditions) over_loops.push_back(Substitute(condition, bindings_));
    return StaysInside(Substitute(index, bindings_), extent, over_loops, loop_ranges_) != Containment::kOutside;
  }

  absl::Status CheckRank(int buffer, size_t rank) const {
    if (buffer < 0 || buffer >= static_cast<int>(nest_.buffers.size())) {
      return Malformed(Place(), ": there is no buffer number ", buffer);
    }
    const Buffer& target = nest_.buffers[buffer];
    if (target.shape.size() != rank) {
      return Malformed(Place(), ": ", rank, " indices for buffer ", target.name, " of rank ", target.shape.size());
    }
    return absl::OkStatus();
  }

  absl::Status CheckExpr(const Expr& expr, const VarSet& scope, bool loads) const {
    for (const Expr& operand : expr->operands) TF_RETURN_IF_ERROR(CheckExpr(operand, scope, loads));
    const auto mistyped = [&] { return Malformed(Place(), ": types disagree in ", Print(nest_, expr)); };
    switch (expr->kind) {
      case ExprKind::kInt:
        return IsFloat(expr->type) ? mistyped() : absl::OkStatus();
      case ExprKind::kFloat:
        return IsFloat(expr->type) ? absl::OkStatus() : mistyped();
      case ExprKind::kVar:
        if (!scope.contains(expr->var)) return Malformed(Place(), ": ", expr->var->name, " is not in scope");
        return absl::OkStatus();
      case ExprKind::kBinary:
        return IsWellTyped(*expr) ? absl::OkStatus() : mistyped();
      case ExprKind::kSelect:
        return expr->operands[0]->type == ScalarType::kBool && expr->operands[1]->type == expr->type &&
                       expr->operands[2]->type == expr->type
                   ? absl::OkStatus()
                   : mistyped();
      case ExprKind::kCast:
        return expr->type != ScalarType::kBool && expr->operands[0]->type != ScalarType::kBool ? absl::OkStatus()
                                                                                               : mistyped();
      case ExprKind::kLoad:
        if (!loads) return Malformed(Place(), ": a load where values must not matter: ", Print(nest_, expr));
        TF_RETURN_IF_ERROR(CheckRank(expr->buffer, expr->operands.size()));
        for (const Expr& index : expr->operands) {
          if (index->type != ScalarType::kIndex) return mistyped();
        }
        return expr->type == nest_.buffers[expr->buffer].type ? absl::OkStatus() : mistyped();
    }
    return mistyped();
  }

  static bool IsWellTyped(const ExprNode& expr) {
    const ScalarType type = expr.operands[0]->type;
    if (expr.operands[1]->type != type) return false;
    switch (expr.op) {
      case BinaryOp::kAnd:
      case BinaryOp::kOr:
        return type == ScalarType::kBool && expr.type == ScalarType::kBool;
      case BinaryOp::kLess:
      case BinaryOp::kLessEqual:
      case BinaryOp::kEqual:
        return type != ScalarType::kBool && expr.type == ScalarType::kBool;
      case BinaryOp::kFloorDiv:
      case BinaryOp::kFloorMod:
        return type == ScalarType::kIndex && expr.type == type;
      case BinaryOp::kDiv:
        return IsFloat(type) && expr.type == type;
      default:
        return type != ScalarType::kBool && expr.type == type;
    }
  }

  const LoopNest& nest_;
  const Block& block_;
  const std::vector<const Loop*>& loops_;
  Uses* uses_;
  VarSet loop_vars_;
  VarSet iter_vars_;
  VarRanges loop_ranges_;
  VarRanges iter_ranges_;
  VarMap bindings_;
  std::vector<Expr> loop_conditions_;  // under which the block runs
};

class NestChecker {
 public:
  explicit NestChecker(const LoopNest& nest) : nest_(nest) {}

  absl::Status Check() {
    TF_RETURN_IF_ERROR(CheckBuffers());
    if (nest_.run == nullptr) return Malformed("nest ", nest_.name, ": nothing to run");
    Uses prepare, run;
    if (nest_.prepare != nullptr) TF_RETURN_IF_ERROR(CheckStmt(nest_.prepare, &prepare));
    TF_RETURN_IF_ERROR(CheckStmt(nest_.run, &run));
    for (size_t i = 0; i < nest_.buffers.size(); ++i) {
      TF_RETURN_IF_ERROR(CheckUse(nest_.buffers[i], static_cast<int>(i), prepare, run));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status CheckBuffers() const {
    absl::flat_hash_set<std::string> names;
    for (const Buffer& buffer : nest_.buffers) {
      const auto malformed = [&buffer](absl::string_view what) {
        return Malformed("buffer ", buffer.name, ": ", what);
      };
      if (!names.insert(buffer.name).second) return malformed("two have this name");
      if (buffer.type == ScalarType::kIndex || buffer.type == ScalarType::kBool) return malformed("no data type");
      if (buffer.row_padding < 0) return malformed("negative row padding");
      if (buffer.role != Role::kTemporary && buffer.scope != Scope::kGlobal) {
        return malformed("only temporaries have a scope other than global");
      }
      for (const int64_t extent : buffer.shape) {
        if (extent < 1) return malformed("an extent below 1");
      }
      const bool is_literal = buffer.role == Role::kLiteral;
      if (static_cast<int64_t>(buffer.literal.size()) != (is_literal ? buffer.NumElements() : 0)) {
        return malformed(is_literal ? "not one number for every element" : "contents in what is no literal");
      }
      if (is_literal && buffer.row_padding != 0) return malformed("a literal with row padding");
    }
    return absl::OkStatus();
  }

  absl::Status CheckStmt(const Stmt& stmt, Uses* uses) {
    if (stmt == nullptr) return Malformed("an empty statement");
    if (As<If>(stmt) != nullptr) return Malformed("an if: only lowered nests have them");
    if (const Seq* seq = As<Seq>(stmt)) {
      if (seq->stmts.size() < 2) return Malformed("a sequence of fewer than two statements");
      for (const Stmt& child : seq->stmts) {
        if (As<Seq>(child) != nullptr) return Malformed("a sequence inside a sequence");
        TF_RETURN_IF_ERROR(CheckStmt(child, uses));
      }
      return absl::OkStatus();
    }
    if (const Block* block = As<Block>(stmt)) {
      if (!block_names_.insert(block->name).second) return Malformed("block ", block->name, ": two have this name");
      return BlockChecker(nest_, *block, loops_, uses).Check();
    }
    const Loop* loop = As<Loop>(stmt);
    TF_RETURN_IF_ERROR(CheckLoop(*loop));
    loops_.push_back(loop);
    TF_RETURN_IF_ERROR(CheckStmt(loop->body, uses));
    loops_.pop_back();
    return absl::OkStatus();
  }

  absl::Status CheckLoop(const Loop& loop) {
    const auto malformed = [&loop](absl::string_view what) { return Malformed("loop ", loop.var->name, ": ", what); };
    if (!loop_names_.insert(loop.var->name).second) return malformed("two have this name");
    absl::Status bad_bound;
    for (const Expr& bound : {loop.begin, loop.extent}) {
      Visit(bound, [&](const Expr& node) {
        if (node->type != ScalarType::kIndex && node->type != ScalarType::kBool)
          bad_bound = malformed("a bound is no index");
        if (node->kind == ExprKind::kLoad) bad_bound = malformed("a bound loads from a buffer");
        if (node->kind == ExprKind::kVar && !IsOuterLoop(node->var)) {
          bad_bound = malformed(absl::StrCat(node->var->name, " is not in scope in a bound"));
        }
      });
      if (bound->type != ScalarType::kIndex) bad_bound = malformed("a bound is no index");
    }
    TF_RETURN_IF_ERROR(bad_bound);
    const std::optional<int64_t> extent = ConstantInt(loop.extent);
    if (extent && *extent < 1) return malformed("an extent below 1");
    if (!extent && (loop.kind == LoopKind::kVectorized || loop.kind == LoopKind::kUnrolled)) {
      return malformed("vectorized and unrolled loops need a constant extent");
    }
    if ((loop.kind == LoopKind::kTensorized) != (FindIntrinsic(loop.intrinsic) != nullptr)) {
      return malformed("tensorized loops, and no others, name an intrinsic");
    }
    return absl::OkStatus();
  }

  bool IsOuterLoop(const Var& var) const {
    return std::any_of(loops_.begin(), loops_.end(), [&var](const Loop* loop) { return loop->var == var; });
  }

  static absl::Status CheckUse(const Buffer& buffer, int index, const Uses& prepare, const Uses& run) {
    const auto malformed = [&buffer](absl::string_view what) { return Malformed("buffer ", buffer.name, ": ", what); };
    const bool prepare_stores = prepare.stored.contains(index);
    const bool run_stores = run.stored.contains(index);
    const bool in_prepare = prepare_stores || prepare.loaded.contains(index);
    switch (buffer.role) {
      case Role::kInput:
        if (in_prepare) return malformed("prepare must not use an input");
        [[fallthrough]];
      case Role::kConstant:
        if (prepare_stores || run_stores) return malformed("inputs and constants are never written");
        break;
      case Role::kLiteral:
        if (prepare_stores || run_stores) return malformed("literals are never written");
        break;
      case Role::kPrepared:
        if (run_stores) return malformed("run must not write what prepare makes");
        if (!prepare_stores) return malformed("prepare does not write it");
        break;
      case Role::kOutput:
        if (in_prepare) return malformed("prepare must not use an output");
        if (!run_stores) return malformed("an output that is never written");
        break;
      case Role::kTemporary:
        if (in_prepare && (run_stores || run.loaded.contains(index))) {
          return malformed("prepare and run share no temporaries");
        }
        if ((run.loaded.contains(index) && !run_stores) || (prepare.loaded.contains(index) && !prepare_stores)) {
          return malformed("read but never written");
        }
        break;
    }
    return absl::OkStatus();
  }

  const LoopNest& nest_;
  std::vector<const Loop*> loops_;
  absl::flat_hash_set<std::string> loop_names_;
  absl::flat_hash_set<std::string> block_names_;
};

}  // namespace

absl::Status Validate(const LoopNest& nest) { return NestChecker(nest).Check(); }

}  // namespace tunefleet::codegen
