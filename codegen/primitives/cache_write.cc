#include "codegen/primitives/cache_write.h"

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
absl::StatusOr<LoopNest> CacheWrite(const LoopNest& nest, absl::string_view block, absl::string_view buffer,
                                    absl::string_view scope, absl::string_view name) {
  TF_ASSIGN_OR_RETURN(const Path path, FindBlock(nest, block));
  TF_ASSIGN_OR_RETURN(const int target, FindBufferNamed(nest, buffer));
  TF_ASSIGN_OR_RETURN(const Scope new_scope, ScratchScope(scope));
  TF_RETURN_IF_ERROR(CheckNewName(nest, name));
  const Block& writer = *As<Block>(path.target());
  if (!Writes(writer, target)) {
    return Refuse(
        absl::StrCat("block '", block, "' does not write buffer '", buffer, "', expected one that it writes"));
  }
  for (const Block* other : WritersOf(nest, target)) {
    if (other == &writer) continue;
    return Refuse(absl::StrCat("buffer '", buffer, "' is also written by block '", other->name, "', expected block '",
                               block, "' alone (its init not yet decomposed)"));
  }
  TF_RETURN_IF_ERROR(CheckReadAfter(nest, path, target));
  const Buffer& original = nest.buffers[target];
  TF_ASSIGN_OR_RETURN(const std::vector<Range> box, WrittenBox(nest, {&writer, path.Loops()}, target));

  LoopNest result = nest;
  const int cache = static_cast<int>(nest.buffers.size());
  result.buffers.push_back({.name = std::string(name),
                            .type = original.type,
                            .shape = original.shape,
                            .role = Role::kTemporary,
                            .scope = new_scope});
  std::vector<int64_t> extents;
  for (const Range& range : box) extents.push_back(range.extent);
  Block copy = ElementwiseBlock(absl::StrCat(name, ".out"), extents);
  TF_RETURN_IF_ERROR(CheckNewName(nest, copy.name));
  TF_RETURN_IF_ERROR(CheckLoopNames(nest, copy));
  std::vector<Expr> at = IterRefs(copy);
  for (size_t d = 0; d < at.size(); ++d) at[d] = at[d] + box[d].begin;
  copy.body = {Store{target, at, StoreOp::kAssign, Load(cache, original.type, at)}};

  Block rewritten = writer;
  for (std::vector<Store>* stores : {&rewritten.init, &rewritten.body}) {
    for (Store& store : *stores) {
      if (store.buffer == target) store.buffer = cache;
    }
  }
  return ReplaceAndPlace(result, path, MakeStmt(WithInferredRegions(result, std::move(rewritten))),
                         PlaceAtRoot(WithInferredRegions(result, std::move(copy))), Place::kAfter);
}

}  // namespace tunefleet::codegen
