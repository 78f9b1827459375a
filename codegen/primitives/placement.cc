#include "codegen/primitives/placement.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/primitives/sites.h"

namespace tunefleet::codegen {
namespace {

void AddUnlessProven(const Expr& condition, const VarRanges& ranges, std::vector<Expr>* predicate) {
  const auto is_same = [&condition](const Expr& other) { return StructurallyEqual(other, condition); };
  if (!ProvablyTrue(condition, ranges) && std::none_of(predicate->begin(), predicate->end(), is_same)) {
    predicate->push_back(condition);
  }
}

std::string LoopName(const Block& block, const BlockIter& iter) {
  return absl::StrCat(block.name, ".", iter.var->name);
}

}  // namespace

Stmt PlaceBlock(Block block, const std::vector<Range>& ranges, const std::vector<Range>& clips, VarRanges outer) {
  std::vector<Loop> loops;
  for (size_t i = 0; i < block.iters.size(); ++i) {
    BlockIter& iter = block.iters[i];
    Loop loop{.var = MakeVar(LoopName(block, iter)), .begin = Int(0), .extent = Int(ranges[i].extent)};
    outer[loop.var] = {0, ranges[i].extent - 1};
    iter.binding = ranges[i].begin + VarRef(loop.var);
    loops.push_back(std::move(loop));
  }
  for (size_t i = 0; i < block.iters.size(); ++i) {
    const BlockIter& iter = block.iters[i];
    AddUnlessProven(LessEqual(Int(0), iter.binding), outer, &block.predicate);
    AddUnlessProven(Less(iter.binding, Int(iter.extent)), outer, &block.predicate);
    if (clips.empty()) continue;
    AddUnlessProven(LessEqual(clips[i].begin, iter.binding), outer, &block.predicate);
    AddUnlessProven(Less(iter.binding, clips[i].begin + Int(clips[i].extent)), outer, &block.predicate);
  }
  Stmt stmt = MakeStmt(std::move(block));
  for (size_t i = loops.size(); i-- > 0;) {
    loops[i].body = std::move(stmt);
    stmt = MakeStmt(std::move(loops[i]));
  }
  return stmt;
}

absl::Status CheckLoopNames(const LoopNest& nest, const Block& block) {
  for (const BlockIter& iter : block.iters) {
    if (absl::Status status = CheckNewName(nest, LoopName(block, iter)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

Block ElementwiseBlock(const std::string& name, const std::vector<int64_t>& extents) {
  Block block{.name = name};
  for (size_t d = 0; d < extents.size(); ++d) {
    block.iters.push_back({MakeVar(absl::StrCat("d", d)), IterKind::kSpatial, extents[d], nullptr});
  }
  return block;
}

std::vector<Expr> IterRefs(const Block& block) {
  std::vector<Expr> refs;
  for (const BlockIter& iter : block.iters) refs.push_back(VarRef(iter.var));
  return refs;
}

Stmt PlaceAtRoot(Block block) {
  std::vector<Range> ranges;
  for (const BlockIter& iter : block.iters) ranges.push_back({Int(0), iter.extent});
  return PlaceBlock(std::move(block), ranges, {}, {});
}

std::vector<std::optional<Range>> IterRangesTouching(const Block& block, const std::vector<Expr>& indices,
                                                     const std::vector<Range>& box) {
  std::vector<std::optional<Range>> result(block.iters.size());
  for (size_t i = 0; i < block.iters.size(); ++i) {
    const Expr iter = VarRef(block.iters[i].var);
    for (size_t d = 0; d < indices.size(); ++d) {
      const LinearForm form = LinearFormOf(indices[d]);
      if (form.terms.size() != 1 || form.terms[0].second != 1) continue;
      const Expr& atom = form.terms[0].first;
      if (StructurallyEqual(atom, iter)) {
        result[i] = Range{box[d].begin - Int(form.constant), box[d].extent};
        break;
      }
      if (atom->kind != ExprKind::kBinary || atom->op != BinaryOp::kFloorDiv || form.constant != 0) continue;
      const std::optional<int64_t> factor = ConstantInt(atom->operands[1]);
      if (!factor.has_value() || *factor <= 0 || !StructurallyEqual(atom->operands[0], iter)) continue;
      result[i] = Range{box[d].begin * Int(*factor), box[d].extent * *factor};
    }
  }
  return result;
}

Range Narrowed(const Range& range, int64_t extent) {
  const std::optional<int64_t> begin = ConstantInt(range.begin);
  if (!begin.has_value()) return range;
  const int64_t from = std::max<int64_t>(*begin, 0);
  const int64_t to = std::min(*begin + range.extent, extent);
  return from < to ? Range{Int(from), to - from} : range;
}

absl::StatusOr<Execution> ExecutionOf(const Block& block, const std::vector<const Loop*>& outer,
                                      const std::vector<const Loop*>& inner) {
  std::vector<const Loop*> loops = outer;
  loops.insert(loops.end(), inner.begin(), inner.end());
  const VarRanges ranges = LoopRanges(loops);
  const VarSet moving = VarsOf(inner);
  Execution execution;
  for (const Expr& conjunct : block.predicate) {
    if (!UsesAny(conjunct, moving)) {
      execution.outer_predicate.push_back(conjunct);
    } else if (!FollowsFromDomain(conjunct, block, ranges)) {
      return Refuse(absl::StrCat("block '", block.name,
                                 "': a predicate over its loops is more than the tail of an "
                                 "iterator's domain; expected only such tails"));
    }
  }
  std::vector<Expr> bindings;
  for (const BlockIter& iter : block.iters) bindings.push_back(iter.binding);
  std::optional<BoxImage> image = ImageOf(bindings, inner, ranges);
  if (!image.has_value() || !image->dense) {
    return Refuse(absl::StrCat("block '", block.name,
                               "': its loops do not give its iterators every value of a box; expected bindings made by "
                               "splits and fusions of whole loops"));
  }
  execution.image = *std::move(image);
  return execution;
}

std::vector<const Loop*> LoopsInside(const std::vector<const Loop*>& loops, const std::vector<const Loop*>& outer) {
  return {loops.begin() + static_cast<std::ptrdiff_t>(outer.size()), loops.end()};
}

}  // namespace tunefleet::codegen
