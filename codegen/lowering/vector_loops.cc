#include "codegen/lowering/vector_loops.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tensor_intrinsic.h"
#include "codegen/ir/tree.h"
#include "codegen/lowering/rewrite.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kMaxLanes = 1024;

struct Access {
  int buffer;
  const std::vector<Expr>* indices;
  bool is_write;
};

std::vector<Access> AccessesIn(const std::vector<const Block*>& blocks) {
  std::vector<Access> accesses;
  const auto add_loads = [&](const Expr& expr) {
    Visit(expr, [&](const Expr& e) {
      if (e->kind == ExprKind::kLoad) accesses.push_back({e->buffer, &e->operands, false});
    });
  };
  for (const Block* block : blocks) {
    VisitBlockExprs(*block, add_loads);
    for (const Store& store : block->body) accesses.push_back({store.buffer, &store.indices, true});
  }
  return accesses;
}

// True when two lanes never have equal indices.
bool DiffersByLane(const std::vector<Expr>& indices, const Var& lane, int64_t lanes, const VarRanges& ranges) {
  for (const Expr& index : indices) {
    const LinearForm form = LinearFormOf(index);
    const Expr* atom = nullptr;
    int uses = 0;
    for (const auto& [term, coefficient] : form.terms) {
      if (!UsesVar(term, lane)) continue;
      atom = &term;
      ++uses;
    }
    if (uses == 1 && (*atom)->kind == ExprKind::kVar) return true;
  }
  // Not linear in any dimension, as in P[c // 16, c % 16]: every pair of lanes has to differ in one of them.
  const auto differ = [&](int64_t a, int64_t b) {
    return std::any_of(indices.begin(), indices.end(), [&](const Expr& index) {
      const Expr difference = Substitute(index, {{lane, Int(a)}}) - Substitute(index, {{lane, Int(b)}});
      const std::optional<Interval> bounds = BoundsOf(Simplify(difference, ranges), ranges);
      return bounds.has_value() && (bounds->min > 0 || bounds->max < 0);
    });
  };
  for (int64_t a = 0; a < lanes; ++a) {
    for (int64_t b = a + 1; b < lanes; ++b) {
      if (!differ(a, b)) return false;
    }
  }
  return true;
}

bool SameElement(const std::vector<Expr>& a, const std::vector<Expr>& b, const VarRanges& ranges) {
  for (size_t d = 0; d < a.size(); ++d) {
    if (StructurallyEqual(a[d], b[d])) continue;
    if (ConstantInt(Simplify(a[d] - b[d], ranges)) != 0) return false;
  }
  return true;
}

// True when no lane of one access touches an element of any lane of the other.
bool NeverMeet(const std::vector<Expr>& a, const std::vector<Expr>& b, const Var& lane, const VarRanges& ranges) {
  const Var other = MakeVar(lane->name + ".other");
  VarRanges both = ranges;
  both[other] = ranges.at(lane);
  for (size_t d = 0; d < a.size(); ++d) {
    const Expr difference = a[d] - Substitute(b[d], {{lane, VarRef(other)}});
    const std::optional<Interval> bounds = BoundsOf(Simplify(difference, both), both);
    if (bounds.has_value() && (bounds->min > 0 || bounds->max < 0)) return true;
  }
  return false;
}

absl::Status CheckLanes(const LoopNest& nest, const Loop& loop, const VarRanges& ranges) {
  if (!LoopsIn(loop.body).empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("vectorized loop '", loop.var->name, "' has loops inside; it must be innermost"));
  }
  const int64_t lanes = ConstantInt(loop.extent).value_or(0);
  const std::vector<Access> accesses = AccessesIn(BlocksIn(loop.body));
  for (const Access& write : accesses) {
    if (!write.is_write) continue;
    const std::string& name = nest.buffers[write.buffer].name;
    if (!DiffersByLane(*write.indices, loop.var, lanes, ranges)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "vectorized loop '", loop.var->name, "' stores to the same element of '", name, "' in several lanes"));
    }
    for (const Access& access : accesses) {
      if (access.buffer != write.buffer || SameElement(*access.indices, *write.indices, ranges) ||
          NeverMeet(*access.indices, *write.indices, loop.var, ranges)) {
        continue;
      }
      return absl::FailedPreconditionError(absl::StrCat("vectorized loop '", loop.var->name,
                                                        "' carries a dependence between lanes through '", name, "'"));
    }
  }
  return absl::OkStatus();
}

absl::Status Check(const LoopNest& nest, const Stmt& stmt, VarRanges& ranges) {
  if (const Seq* seq = As<Seq>(stmt)) {
    for (const Stmt& child : seq->stmts) TF_RETURN_IF_ERROR(Check(nest, child, ranges));
    return absl::OkStatus();
  }
  if (const If* branch = As<If>(stmt)) return Check(nest, branch->then_stmt, ranges);
  const Loop* loop = As<Loop>(stmt);
  if (loop == nullptr) return absl::OkStatus();
  ranges[loop->var] = LoopRange(*loop, ranges);
  absl::Status status;
  switch (loop->kind) {
    case LoopKind::kSerial:
    case LoopKind::kParallel:
      status = Check(nest, loop->body, ranges);
      break;
    case LoopKind::kVectorized:
      status = CheckLanes(nest, *loop, ranges);
      break;
    case LoopKind::kTensorized: {
      const TensorIntrinsic* intrinsic = FindIntrinsic(loop->intrinsic);
      VarRanges around = ranges;
      around.erase(loop->var);
      if (intrinsic == nullptr) {
        status = absl::FailedPreconditionError(absl::StrCat("no intrinsic is named '", loop->intrinsic, "'"));
      } else {
        status = MatchIntrinsic(nest, *intrinsic, stmt, std::move(around)).status();
      }
      break;
    }
    default:
      status = absl::FailedPreconditionError(
          absl::StrCat("loop '", loop->var->name, "' is bound to a GPU axis; a CPU has none"));
  }
  ranges.erase(loop->var);
  return status;
}

}  // namespace

absl::StatusOr<LoopNest> NormalizeVectorLoops(const LoopNest& nest) {
  absl::Status status;
  const auto normalize = [&](const Stmt& stmt) -> Stmt {
    const Loop* loop = As<Loop>(stmt);
    if (loop == nullptr || loop->kind != LoopKind::kVectorized) return stmt;
    const std::optional<int64_t> extent = ConstantInt(loop->extent);
    if (!extent.has_value() || *extent < 1 || *extent > kMaxLanes) {
      status = absl::FailedPreconditionError(
          absl::StrCat("vectorized loop '", loop->var->name, "' needs a constant extent from 1 to ", kMaxLanes));
      return stmt;
    }
    if (ConstantInt(loop->begin) == 0) return stmt;
    const Stmt body = SubstituteVars(loop->body, {{loop->var, loop->begin + VarRef(loop->var)}});
    return MakeStmt(Loop{loop->var, Int(0), loop->extent, loop->kind, body});
  };
  LoopNest normalized = WithRoots(nest, [&](const Stmt& root) { return RewriteStmts(root, normalize); });
  TF_RETURN_IF_ERROR(status);
  return normalized;
}

absl::Status CheckLoops(const LoopNest& nest) {
  for (const Stmt& root : {nest.prepare, nest.run}) {
    VarRanges ranges;
    if (root != nullptr) TF_RETURN_IF_ERROR(Check(nest, root, ranges));
  }
  return absl::OkStatus();
}

}  // namespace tunefleet::codegen
