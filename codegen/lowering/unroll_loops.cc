#include "codegen/lowering/unroll_loops.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/lowering/rewrite.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// An extent may be constant only once the unrolled loops around it are gone.
int64_t UpperExtent(const Loop& loop, const VarRanges& ranges) {
  const std::optional<Interval> extent = BoundsOf(loop.extent, ranges);
  return extent.has_value() ? std::max<int64_t>(extent->max, 0) : 1;
}

// Saturates just above the limit.
int64_t CountStores(const Stmt& stmt, int64_t limit, VarRanges& ranges) {
  if (const Block* block = As<Block>(stmt)) return static_cast<int64_t>(block->body.size());
  if (const If* branch = As<If>(stmt)) return CountStores(branch->then_stmt, limit, ranges);
  if (const Seq* seq = As<Seq>(stmt)) {
    int64_t sum = 0;
    for (const Stmt& child : seq->stmts) sum = std::min(limit + 1, sum + CountStores(child, limit, ranges));
    return sum;
  }
  const Loop* loop = As<Loop>(stmt);
  const int64_t copies = loop->kind == LoopKind::kUnrolled ? UpperExtent(*loop, ranges) : 1;
  ranges[loop->var] = LoopRange(*loop, ranges);
  const int64_t inside = CountStores(loop->body, limit, ranges);
  ranges.erase(loop->var);
  if (inside == 0 || copies <= (limit + 1) / inside) return inside * copies;
  return limit + 1;
}

absl::StatusOr<Stmt> Unroll(const Stmt& stmt, VarMap& values) {
  const auto substitute = [&values](const Expr& expr) { return values.empty() ? expr : Substitute(expr, values); };
  if (const Block* block = As<Block>(stmt)) {
    if (values.empty()) return stmt;
    return MakeStmt(RewriteFlatBlock(*block, substitute));
  }
  if (const If* branch = As<If>(stmt)) {
    TF_ASSIGN_OR_RETURN(Stmt then_stmt, Unroll(branch->then_stmt, values));
    return MakeStmt(If{substitute(branch->condition), std::move(then_stmt)});
  }
  if (const Seq* seq = As<Seq>(stmt)) {
    std::vector<Stmt> stmts;
    for (const Stmt& child : seq->stmts) {
      TF_ASSIGN_OR_RETURN(stmts.emplace_back(), Unroll(child, values));
    }
    return MakeSeq(std::move(stmts));
  }
  Loop loop = *As<Loop>(stmt);
  loop.begin = substitute(loop.begin);
  loop.extent = substitute(loop.extent);
  if (loop.kind != LoopKind::kUnrolled) {
    TF_ASSIGN_OR_RETURN(loop.body, Unroll(loop.body, values));
    return loop.body == nullptr ? nullptr : MakeStmt(std::move(loop));
  }
  const std::optional<int64_t> extent = ConstantInt(loop.extent);
  if (!extent.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat("unrolled loop '", loop.var->name, "' has no constant extent"));
  }
  std::vector<Stmt> copies;
  for (int64_t i = 0; i < *extent; ++i) {
    values[loop.var] = loop.begin + Int(i);
    TF_ASSIGN_OR_RETURN(copies.emplace_back(), Unroll(loop.body, values));
  }
  values.erase(loop.var);
  return MakeSeq(std::move(copies));
}

}  // namespace

absl::StatusOr<LoopNest> UnrollLoops(const LoopNest& nest, int64_t max_stores) {
  int64_t stores = 0;
  for (const Stmt& root : {nest.prepare, nest.run}) {
    VarRanges ranges;
    if (root != nullptr) stores += CountStores(root, max_stores, ranges);
  }
  if (stores > max_stores) {
    return absl::ResourceExhaustedError(
        absl::StrCat("nest '", nest.name, "' has more than ", max_stores, " stores after unrolling"));
  }
  LoopNest unrolled = nest;
  VarMap values;
  if (nest.prepare != nullptr) {
    TF_ASSIGN_OR_RETURN(unrolled.prepare, Unroll(nest.prepare, values));
  }
  if (nest.run != nullptr) {
    TF_ASSIGN_OR_RETURN(unrolled.run, Unroll(nest.run, values));
  }
  return unrolled;
}

}  // namespace tunefleet::codegen
