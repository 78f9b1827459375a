#include "codegen/primitives/transform_layout.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/affine.h"
#include "codegen/primitives/layout.h"
#include "codegen/primitives/placement.h"
#include "codegen/primitives/sites.h"
#include "codegen/primitives/zero_padding.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

VarRanges DomainOf(const Block& block) {
  VarRanges ranges;
  for (const BlockIter& iter : block.iters) ranges[iter.var] = {0, iter.extent - 1};
  return ranges;
}

// A block's accesses to buffer `from`, turned into accesses to buffer `to` in the new layout.
class AccessRewriter {
 public:
  AccessRewriter(const Layout& layout, int from, int to, bool zero_padded)
      : layout_(layout), from_(from), to_(to), zero_padded_(zero_padded) {}

  Block Rewrite(const Block& original) const {
    const VarRanges ranges = DomainOf(original);
    std::vector<std::pair<Expr, Expr>> rewritten;  // the new load of an old one
    Block block = RewriteBlockExprs(original, [&](const Expr& expr) -> Expr {
      if (expr->kind == ExprKind::kLoad && expr->buffer == from_) {
        const Expr load = Load(to_, expr->type, layout_.NewIndices(expr->operands, ranges));
        rewritten.emplace_back(load, expr);
        return load;
      }
      if (expr->kind == ExprKind::kSelect && zero_padded_) return WithoutSelect(expr, rewritten, ranges);
      return expr;
    });
    for (std::vector<Store>* stores : {&block.init, &block.body}) {
      for (Store& store : *stores) {
        if (store.buffer != from_) continue;
        store.buffer = to_;
        store.indices = layout_.NewIndices(store.indices, ranges);
      }
    }
    return block;
  }

 private:
  // select(index < extent && rest, packed[...], 0) is select(rest, packed[...], 0), if packed[...] is there at all.
  Expr WithoutSelect(const Expr& select, const std::vector<std::pair<Expr, Expr>>& rewritten,
                     const VarRanges& ranges) const {
    if (!IsZero(select->operands[2])) return select;
    for (const auto& [load, old_load] : rewritten) {
      if (load != select->operands[1]) continue;
      ZeroPadding padding{layout_.old_shape(), {}, layout_.PaddedOldShape()};
      padding.before.assign(padding.shape.size(), 0);
      for (size_t d = 0; d < padding.shape.size(); ++d) padding.after[d] -= padding.shape[d];
      if (!StaysInside(old_load->operands, padding, ranges)) return select;
      const std::vector<Expr> conjuncts = Conjuncts(select->operands[0]);
      const std::vector<Expr> rest = WithoutBoundsChecks(conjuncts, old_load->operands, padding);
      if (rest.size() == conjuncts.size()) return select;
      return Select(Conjunction(rest), select->operands[1], select->operands[2]);
    }
    return select;
  }

  const Layout& layout_;
  const int from_;
  const int to_;
  const bool zero_padded_;
};

Stmt RewriteAccesses(const LoopNest& nest, const Stmt& root, int from, const AccessRewriter& rewriter) {
  return RewriteStmts(root, [&](const Stmt& stmt) -> Stmt {
    const Block* block = As<Block>(stmt);
    if (block == nullptr || (!Reads(*block, from) && !Writes(*block, from))) return stmt;
    return MakeStmt(WithInferredRegions(nest, rewriter.Rewrite(*block)));
  });
}

absl::StatusOr<LoopNest> PackConstant(const LoopNest& nest, int constant, const Layout& layout,
                                      absl::string_view name) {
  TF_RETURN_IF_ERROR(CheckNewName(nest, name));
  bool is_read = false;
  for (const Block* block : BlocksIn(nest.run)) is_read = is_read || Reads(*block, constant);
  const Buffer original = nest.buffers[constant];
  if (!is_read) {
    return Refuse(absl::StrCat("constant '", original.name, "' is not read in run, expected a reader"));
  }
  LoopNest result = nest;
  const int packed = static_cast<int>(nest.buffers.size());
  result.buffers.push_back({.name = std::string(name),
                            .type = original.type,
                            .shape = layout.NewShape(),
                            .role = Role::kPrepared,
                            .scope = Scope::kGlobal});
  Block packing = ElementwiseBlock(std::string(name), layout.NewShape());
  TF_RETURN_IF_ERROR(CheckLoopNames(nest, packing));
  const std::vector<Expr> at = IterRefs(packing);
  const std::vector<Expr> old_at = layout.OldIndices(at);
  const std::vector<int64_t> padded = layout.PaddedOldShape();
  std::vector<Expr> inside;
  for (size_t d = 0; d < old_at.size(); ++d) {
    if (padded[d] != original.shape[d]) inside.push_back(Less(old_at[d], Int(original.shape[d])));
  }
  packing.body = {Store{packed, at, StoreOp::kAssign,
                        Select(Conjunction(inside), Load(constant, original.type, old_at), Zero(original.type))}};
  result.prepare = MakeSeq({nest.prepare, PlaceAtRoot(WithInferredRegions(result, std::move(packing)))});
  result.run = RewriteAccesses(result, nest.run, constant, AccessRewriter(layout, constant, packed, true));
  return result;
}

}  // namespace

absl::StatusOr<LoopNest> TransformLayout(const LoopNest& nest, absl::string_view buffer,
                                         const std::vector<std::string>& terms, absl::string_view name) {
  TF_ASSIGN_OR_RETURN(const int index, FindBufferNamed(nest, buffer));
  const Buffer& target = nest.buffers[index];
  if (target.role == Role::kLiteral) {
    return Refuse(absl::StrCat("buffer '", buffer, "' is a literal; expected a constant or a temporary"));
  }
  if (target.role == Role::kInput || target.role == Role::kOutput) {
    return Refuse(absl::StrCat("buffer '", buffer, "' is an ", target.role == Role::kInput ? "input" : "output",
                               ", whose layout is the caller's; expected a constant or a temporary"));
  }
  TF_ASSIGN_OR_RETURN(const Layout layout, Layout::Parse(target, terms));
  if (target.role == Role::kConstant) return PackConstant(nest, index, layout, name);
  if (!name.empty() && name != buffer) {
    return absl::InvalidArgumentError(
        absl::StrCat("name '", name, "' for temporary '", buffer, "', which keeps its name; expected none"));
  }
  LoopNest result = nest;
  result.buffers[index].shape = layout.NewShape();
  const AccessRewriter rewriter(layout, index, index, false);
  result.prepare = RewriteAccesses(result, nest.prepare, index, rewriter);
  result.run = RewriteAccesses(result, nest.run, index, rewriter);
  return result;
}

}  // namespace tunefleet::codegen
