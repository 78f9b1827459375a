#include "codegen/primitives/pad.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/affine.h"
#include "codegen/primitives/placement.h"
#include "codegen/primitives/root.h"
#include "codegen/primitives/sites.h"
#include "codegen/primitives/written_box.h"
#include "codegen/primitives/zero_padding.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kMaxPadding = int64_t{1} << 20;

absl::Status CheckAmounts(const Buffer& buffer, const std::vector<int64_t>& before, const std::vector<int64_t>& after) {
  const auto good = [&buffer](const std::vector<int64_t>& amounts) {
    return amounts.size() == buffer.shape.size() &&
           std::all_of(amounts.begin(), amounts.end(), [](int64_t n) { return n >= 0 && n <= kMaxPadding; });
  };
  if (good(before) && good(after)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("before [", absl::StrJoin(before, ","), "], after [",
                                                 absl::StrJoin(after, ","), "] for buffer '", buffer.name,
                                                 "': expected ", buffer.shape.size(), " numbers of 0 to 2^20 each"));
}

// A factor of the value that is the buffer's element, or a select of it with a zero; null when there is none.
const ExprNode* FactorOf(const Expr& value, int buffer) {
  if (value->kind == ExprKind::kLoad) return value->buffer == buffer ? value.get() : nullptr;
  if (value->kind == ExprKind::kCast) return FactorOf(value->operands[0], buffer);
  if (value->kind == ExprKind::kSelect && IsZero(value->operands[2])) return FactorOf(value->operands[1], buffer);
  if (value->kind != ExprKind::kBinary || value->op != BinaryOp::kMul) return nullptr;
  const ExprNode* factor = FactorOf(value->operands[0], buffer);
  return factor != nullptr ? factor : FactorOf(value->operands[1], buffer);
}

// The guard without bounds checks that a factor of every sum makes needless. Errors: FAILED_PRECONDITION.
absl::StatusOr<std::vector<Expr>> NewGuard(const Block& block, int buffer, const ZeroPadding& padding) {
  std::vector<Expr> guard = block.guard;
  bool first = true;
  for (const Store& store : block.body) {
    const ExprNode* factor = store.op == StoreOp::kAdd ? FactorOf(store.value, buffer) : nullptr;
    const std::vector<Expr> without =
        factor == nullptr ? block.guard : WithoutBoundsChecks(block.guard, factor->operands, padding);
    if (!first && without.size() != guard.size()) {
      return Refuse(absl::StrCat("block '", block.name, "': its stores need different guards, expected the same"));
    }
    guard = without;
    first = false;
  }
  return guard;
}

}  // namespace

absl::StatusOr<LoopNest> Pad(const LoopNest& nest, absl::string_view block, absl::string_view buffer,
                             const std::vector<int64_t>& before, const std::vector<int64_t>& after,
                             absl::string_view scope, absl::string_view name) {
  TF_ASSIGN_OR_RETURN(const Path path, FindBlock(nest, block));
  TF_ASSIGN_OR_RETURN(const int source, FindBufferNamed(nest, buffer));
  TF_ASSIGN_OR_RETURN(const Scope new_scope, ScratchScope(scope));
  TF_RETURN_IF_ERROR(CheckNewName(nest, name));
  const Buffer original = nest.buffers[source];
  TF_RETURN_IF_ERROR(CheckAmounts(original, before, after));
  const Block& reader = *As<Block>(path.target());
  if (!Reads(reader, source) || Writes(reader, source)) {
    return Refuse(absl::StrCat("block '", block, "' does not read buffer '", buffer,
                               "', or writes it; expected a buffer that it only reads"));
  }
  TF_RETURN_IF_ERROR(CheckWrittenBefore(nest, path, source));
  std::vector<Range> whole;
  for (const int64_t extent : original.shape) whole.push_back({Int(0), extent});
  TF_RETURN_IF_ERROR(CheckDefined(nest, source, whole));
  const ZeroPadding padding{original.shape, before, after};
  TF_ASSIGN_OR_RETURN(std::vector<Expr> guard, NewGuard(reader, source, padding));

  LoopNest result = nest;
  const int padded = static_cast<int>(nest.buffers.size());
  std::vector<int64_t> shape = original.shape;
  for (size_t d = 0; d < shape.size(); ++d) shape[d] += before[d] + after[d];
  result.buffers.push_back(
      {.name = std::string(name), .type = original.type, .shape = shape, .role = Role::kTemporary, .scope = new_scope});
  Block copy = ElementwiseBlock(std::string(name), shape);
  TF_RETURN_IF_ERROR(CheckLoopNames(nest, copy));
  const std::vector<Expr> at = IterRefs(copy);
  std::vector<Expr> from = at;
  std::vector<Expr> inside;
  for (size_t d = 0; d < at.size(); ++d) {
    from[d] = at[d] - Int(before[d]);
    if (before[d] > 0) inside.push_back(LessEqual(Int(0), from[d]));
    if (after[d] > 0) inside.push_back(Less(from[d], Int(original.shape[d])));
  }
  copy.body = {Store{padded, at, StoreOp::kAssign,
                     Select(Conjunction(inside), Load(source, original.type, from), Zero(original.type))}};

  VarRanges ranges;
  for (const BlockIter& iter : reader.iters) ranges[iter.var] = {0, iter.extent - 1};
  bool stays_inside = true;
  std::vector<std::pair<Expr, Expr>> rewritten;  // the new load of an old one
  Block block_of_copy = RewriteBlockExprs(reader, [&](const Expr& expr) -> Expr {
    if (expr->kind == ExprKind::kLoad && expr->buffer == source) {
      stays_inside = stays_inside && StaysInside(expr->operands, padding, ranges);
      std::vector<Expr> indices = expr->operands;
      for (size_t d = 0; d < indices.size(); ++d) indices[d] = Simplify(indices[d] + Int(before[d]), ranges);
      rewritten.emplace_back(Load(padded, expr->type, std::move(indices)), expr);
      return rewritten.back().first;
    }
    if (expr->kind != ExprKind::kSelect || !IsZero(expr->operands[2])) return expr;
    for (const auto& [load, old_load] : rewritten) {
      if (load != expr->operands[1]) continue;
      const std::vector<Expr> rest = WithoutBoundsChecks(Conjuncts(expr->operands[0]), old_load->operands, padding);
      return Select(Conjunction(rest), expr->operands[1], expr->operands[2]);
    }
    return expr;
  });
  if (!stays_inside) {
    return Refuse(absl::StrCat("block '", block, "' reads buffer '", buffer, "' beyond ", absl::StrJoin(before, ","),
                               " elements before and ", absl::StrJoin(after, ","), " after it, expected more padding"));
  }
  block_of_copy.guard = std::move(guard);
  return ReplaceAndPlace(result, path, MakeStmt(WithInferredRegions(result, std::move(block_of_copy))),
                         PlaceAtRoot(WithInferredRegions(result, std::move(copy))), Place::kBefore);
}

}  // namespace tunefleet::codegen
