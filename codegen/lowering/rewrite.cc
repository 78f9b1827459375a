#include "codegen/lowering/rewrite.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "codegen/ir/tree.h"
#include "common/check.h"

namespace tunefleet::codegen {
namespace {

using ExprRewrite = std::function<Expr(const Expr&, const VarRanges&)>;
using BlockRewrite = std::function<Stmt(const Block&, const VarRanges&)>;

Stmt Walk(const Stmt& stmt, const ExprRewrite* exprs, const BlockRewrite& blocks, VarRanges& ranges) {
  if (const Loop* loop = As<Loop>(stmt)) {
    Loop copy = *loop;
    if (exprs != nullptr) {
      copy.begin = (*exprs)(copy.begin, ranges);
      copy.extent = (*exprs)(copy.extent, ranges);
    }
    ranges[loop->var] = LoopRange(copy, ranges);
    copy.body = Walk(loop->body, exprs, blocks, ranges);
    ranges.erase(loop->var);
    return copy.body == nullptr ? nullptr : MakeStmt(std::move(copy));
  }
  if (const Seq* seq = As<Seq>(stmt)) {
    std::vector<Stmt> stmts;
    stmts.reserve(seq->stmts.size());
    for (const Stmt& child : seq->stmts) stmts.push_back(Walk(child, exprs, blocks, ranges));
    return MakeSeq(std::move(stmts));
  }
  if (const If* branch = As<If>(stmt)) {
    If copy = *branch;
    if (exprs != nullptr) copy.condition = (*exprs)(copy.condition, ranges);
    copy.then_stmt = Walk(branch->then_stmt, exprs, blocks, ranges);
    return copy.then_stmt == nullptr ? nullptr : MakeStmt(std::move(copy));
  }
  return blocks(*As<Block>(stmt), ranges);
}

}  // namespace

Interval LoopRange(const Loop& loop, const VarRanges& ranges) {
  const std::optional<Interval> begin = BoundsOf(loop.begin, ranges);
  const std::optional<Interval> extent = BoundsOf(loop.extent, ranges);
  TF_CHECK(begin.has_value() && extent.has_value(), "loop bounds are over outer loop variables");
  return {begin->min, std::max(begin->max, begin->max + extent->max - 1)};
}

Stmt RewriteExprs(const Stmt& stmt, const ExprRewrite& rewrite) {
  const BlockRewrite blocks = [&](const Block& block, const VarRanges& ranges) {
    return MakeStmt(RewriteFlatBlock(block, [&](const Expr& expr) { return rewrite(expr, ranges); }));
  };
  VarRanges ranges;
  return Walk(stmt, &rewrite, blocks, ranges);
}

Stmt SubstituteVars(const Stmt& stmt, const VarMap& map) {
  const auto substitute = [&map](const Expr& expr) { return Substitute(expr, map); };
  return RewriteStmts(stmt, [&](const Stmt& inner) -> Stmt {
    if (const Block* block = As<Block>(inner)) return MakeStmt(RewriteFlatBlock(*block, substitute));
    if (const If* branch = As<If>(inner)) return MakeStmt(If{substitute(branch->condition), branch->then_stmt});
    if (const Loop* loop = As<Loop>(inner)) {
      Loop copy = *loop;
      copy.begin = substitute(loop->begin);
      copy.extent = substitute(loop->extent);
      return MakeStmt(std::move(copy));
    }
    return inner;
  });
}

Block RewriteFlatBlock(Block block, const std::function<Expr(const Expr&)>& rewrite) {
  for (Expr& condition : block.predicate) condition = rewrite(condition);
  for (Store& store : block.body) {
    for (Expr& index : store.indices) index = rewrite(index);
    store.value = rewrite(store.value);
  }
  return block;
}

Stmt RewriteBlocks(const Stmt& stmt, const BlockRewrite& rewrite) {
  VarRanges ranges;
  return Walk(stmt, nullptr, rewrite, ranges);
}

void VisitBlockExprs(const Block& block, const std::function<void(const Expr&)>& visit) {
  for (const Expr& condition : block.predicate) visit(condition);
  for (const Store& store : block.body) {
    for (const Expr& index : store.indices) visit(index);
    visit(store.value);
  }
}

}  // namespace tunefleet::codegen
