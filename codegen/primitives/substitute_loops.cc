#include "codegen/primitives/substitute_loops.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "codegen/ir/tree.h"
#include "codegen/primitives/affine.h"

namespace tunefleet::codegen {
namespace {

Expr SubstituteOne(const Expr& expr, const VarMap& map, const VarRanges& ranges) {
  const Expr result = Substitute(expr, map);
  return result == expr ? expr : Simplify(result, ranges);
}

Block SubstituteInBlock(Block block, const VarMap& map, const Expr& extra, const VarRanges& ranges) {
  for (BlockIter& iter : block.iters) iter.binding = SubstituteOne(iter.binding, map, ranges);
  std::vector<Expr> predicate;
  for (const Expr& conjunct : block.predicate) {
    const Expr substituted = Substitute(conjunct, map);
    if (substituted == conjunct) {
      predicate.push_back(conjunct);
    } else if (!ProvablyTrue(substituted, ranges)) {
      // What never holds stays in words: it still says what the bindings stay inside of.
      const Expr simplified = Simplify(substituted, ranges);
      predicate.push_back(ConstantInt(simplified).has_value() ? substituted : simplified);
    }
  }
  const auto implies_extra = [&](const Expr& conjunct) { return Follows(extra, conjunct, ranges); };
  if (extra != nullptr && std::none_of(predicate.begin(), predicate.end(), implies_extra)) predicate.push_back(extra);
  block.predicate = std::move(predicate);
  return block;
}

}  // namespace

Stmt SubstituteLoops(const Stmt& stmt, const VarMap& map, const Expr& extra, VarRanges ranges) {
  if (const Block* block = As<Block>(stmt)) return MakeStmt(SubstituteInBlock(*block, map, extra, ranges));
  if (const Seq* seq = As<Seq>(stmt)) {
    std::vector<Stmt> stmts;
    for (const Stmt& child : seq->stmts) stmts.push_back(SubstituteLoops(child, map, extra, ranges));
    return MakeSeq(std::move(stmts));
  }
  if (const If* branch = As<If>(stmt)) {
    return MakeStmt(If{Substitute(branch->condition, map), SubstituteLoops(branch->then_stmt, map, extra, ranges)});
  }
  Loop loop = *As<Loop>(stmt);
  loop.begin = SubstituteOne(loop.begin, map, ranges);
  loop.extent = SubstituteOne(loop.extent, map, ranges);
  const std::optional<Interval> begin = BoundsOf(loop.begin, ranges);
  const std::optional<Interval> last = BoundsOf(loop.begin + loop.extent - Int(1), ranges);
  if (begin.has_value() && last.has_value()) ranges[loop.var] = {begin->min, std::max(begin->min, last->max)};
  loop.body = SubstituteLoops(loop.body, map, extra, std::move(ranges));
  return MakeStmt(std::move(loop));
}

}  // namespace tunefleet::codegen
