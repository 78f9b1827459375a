#include "codegen/primitives/cache_read.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/placement.h"
#include "codegen/primitives/root.h"
#include "codegen/primitives/sites.h"
#include "codegen/primitives/written_box.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// The box of the buffer that all instances of the block together may read.
std::vector<Range> ReadBox(const Block& block, int buffer, const std::vector<int64_t>& shape) {
  VarRanges domain;
  for (const BlockIter& iter : block.iters) domain[iter.var] = {0, iter.extent - 1};
  std::vector<Range> box;
  for (const BufferRegion& region : block.reads) {
    if (region.buffer != buffer) continue;
    for (size_t d = 0; d < shape.size(); ++d) {
      const std::optional<Interval> begin = BoundsOf(region.ranges[d].begin, domain);
      const int64_t from = begin.has_value() ? std::max<int64_t>(begin->min, 0) : 0;
      const int64_t to = begin.has_value() ? std::min(begin->max + region.ranges[d].extent, shape[d]) : shape[d];
      box.push_back(from < to ? Range{Int(from), to - from} : Range{Int(0), shape[d]});
    }
  }
  return box;
}

}  // namespace

absl::StatusOr<LoopNest> CacheRead(const LoopNest& nest, absl::string_view block, absl::string_view buffer,
                                   absl::string_view scope, absl::string_view name) {
  TF_ASSIGN_OR_RETURN(const Path path, FindBlock(nest, block));
  TF_ASSIGN_OR_RETURN(const int source, FindBufferNamed(nest, buffer));
  TF_ASSIGN_OR_RETURN(const Scope new_scope, ScratchScope(scope));
  TF_RETURN_IF_ERROR(CheckNewName(nest, name));
  const Block& reader = *As<Block>(path.target());
  if (!Reads(reader, source)) {
    return Refuse(absl::StrCat("block '", block, "' does not read buffer '", buffer, "', expected one that it reads"));
  }
  if (Writes(reader, source)) {
    return Refuse(absl::StrCat("block '", block, "' writes buffer '", buffer, "', expected one that it only reads"));
  }
  TF_RETURN_IF_ERROR(CheckWrittenBefore(nest, path, source));
  const std::vector<Range> box = ReadBox(reader, source, nest.buffers[source].shape);
  TF_RETURN_IF_ERROR(CheckDefined(nest, source, box));

  LoopNest result = nest;
  const int cache = static_cast<int>(nest.buffers.size());
  const Buffer& original = nest.buffers[source];
  result.buffers.push_back({.name = std::string(name),
                            .type = original.type,
                            .shape = original.shape,
                            .role = Role::kTemporary,
                            .scope = new_scope});
  std::vector<int64_t> extents;
  for (const Range& range : box) extents.push_back(range.extent);
  Block copy = ElementwiseBlock(std::string(name), extents);
  TF_RETURN_IF_ERROR(CheckLoopNames(nest, copy));
  std::vector<Expr> at = IterRefs(copy);
  for (size_t d = 0; d < at.size(); ++d) at[d] = at[d] + box[d].begin;
  copy.body = {Store{cache, at, StoreOp::kAssign, Load(source, original.type, at)}};

  Block rewritten = RewriteBlockExprs(reader, [&](const Expr& expr) {
    if (expr->kind != ExprKind::kLoad || expr->buffer != source) return expr;
    return Load(cache, expr->type, expr->operands);
  });
  return ReplaceAndPlace(result, path, MakeStmt(WithInferredRegions(result, std::move(rewritten))),
                         PlaceAtRoot(WithInferredRegions(result, std::move(copy))), Place::kBefore);
}

}  // namespace tunefleet::codegen
