#include "codegen/primitives/written_box.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/affine.h"
#include "codegen/primitives/placement.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// Whether the block's loops take its iterators through their whole domains.
absl::StatusOr<bool> RunsWholeDomain(const Site& site) {
  TF_ASSIGN_OR_RETURN(const Execution execution, ExecutionOf(*site.block, {}, site.loops));
  bool whole = execution.outer_predicate.empty();
  for (size_t i = 0; i < site.block->iters.size(); ++i) {
    const auto& [begin, extent] = execution.image.box[i];
    const std::optional<int64_t> first = ConstantInt(begin);
    whole = whole && first.has_value() && *first <= 0 && *first + extent >= site.block->iters[i].extent;
  }
  return whole;
}

bool Covers(const std::vector<Range>& outer, const std::vector<Range>& inner) {
  for (size_t d = 0; d < outer.size(); ++d) {
    const std::optional<int64_t> shift = ConstantDifference(inner[d].begin, outer[d].begin);
    if (!shift.has_value() || *shift < 0 || *shift + inner[d].extent > outer[d].extent) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::vector<Range>> WrittenBox(const LoopNest& nest, const Site& site, int buffer) {
  const Block& block = *site.block;
  const auto refuse = [&](absl::string_view why) {
    return Refuse(absl::StrCat("block '", block.name, "', buffer '", nest.buffers[buffer].name, "': ", why));
  };
  if (Reads(block, buffer)) return refuse("the block reads it, expected it only written");
  const auto is_ours = [buffer](const Store& store) { return store.buffer == buffer; };
  const bool initialised = std::any_of(block.init.begin(), block.init.end(), is_ours);
  std::vector<const Store*> stores;
  for (const std::vector<Store>* list : {&block.init, &block.body}) {
    for (const Store& store : *list) {
      if (is_ours(store)) stores.push_back(&store);
    }
  }
  for (const Store* store : stores) {
    if (!std::equal(store->indices.begin(), store->indices.end(), stores[0]->indices.begin(), StructurallyEqual)) {
      return refuse("several elements are written at once, expected one element per instance");
    }
    if (store->op != StoreOp::kAssign && !initialised) {
      return refuse("the block adds to what is there already, expected an init");
    }
  }
  if (!block.guard.empty() && !initialised) {
    return refuse("a guard leaves elements unwritten, expected every element to be written");
  }
  TF_ASSIGN_OR_RETURN(const bool whole, RunsWholeDomain(site));
  if (!whole) return refuse("the block's loops leave out parts of its domain, expected all of it");

  std::vector<Loop> domain;  // the iterators as loops
  for (const BlockIter& iter : block.iters) domain.push_back({iter.var, Int(0), Int(iter.extent)});
  std::vector<const Loop*> loops;
  for (const Loop& loop : domain) loops.push_back(&loop);
  const std::optional<BoxImage> image = ImageOf(stores[0]->indices, loops, LoopRanges(loops));
  if (!image.has_value() || !image->dense) return refuse("the block does not write a whole box of it");
  return image->box;
}

absl::Status CheckDefined(const LoopNest& nest, int buffer, const std::vector<Range>& box) {
  const Role role = nest.buffers[buffer].role;
  if (role == Role::kInput || role == Role::kConstant || role == Role::kLiteral) return absl::OkStatus();
  for (const Stmt& root : {nest.prepare, nest.run}) {
    for (const Site& site : SitesIn(root)) {
      if (!Writes(*site.block, buffer)) continue;
      const absl::StatusOr<std::vector<Range>> written = WrittenBox(nest, site, buffer);
      if (written.ok() && Covers(*written, box)) return absl::OkStatus();
    }
  }
  return Refuse(absl::StrCat("buffer '", nest.buffers[buffer].name,
                             "': no one block writes all of what would be copied, expected every element defined"));
}

}  // namespace tunefleet::codegen
