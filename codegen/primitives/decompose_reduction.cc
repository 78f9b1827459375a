#include "codegen/primitives/decompose_reduction.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/independence.h"
#include "codegen/primitives/placement.h"
#include "codegen/primitives/sites.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// Other blocks under the loop must leave the buffers alone until the reduction has run. Errors: FAILED_PRECONDITION.
absl::Status CheckOthers(const LoopNest& nest, const Stmt& loop, const Block& block, const Block& init) {
  bool before = true;
  for (const Block* other : BlocksIn(loop)) {
    if (other == &block) {
      before = false;
      continue;
    }
    for (const BufferRegion& region : init.reads) {
      if (!Writes(*other, region.buffer)) continue;
      return Refuse(absl::StrCat("block '", other->name, "' writes buffer '", nest.buffers[region.buffer].name,
                                 "' in the loop, which the init of block '", block.name, "' reads"));
    }
    for (const BufferRegion& region : block.writes) {
      if (!Writes(*other, region.buffer) && !(before && Reads(*other, region.buffer))) continue;
      return Refuse(absl::StrCat("block '", other->name, "' uses buffer '", nest.buffers[region.buffer].name,
                                 "' in the loop, expected only block '", block.name, "' and readers after it"));
    }
  }
  return absl::OkStatus();
}

bool UsesReduction(const Block& block, const Expr& expr) {
  return std::any_of(block.iters.begin(), block.iters.end(), [&expr](const BlockIter& iter) {
    return iter.kind != IterKind::kSpatial && UsesVar(expr, iter.var);
  });
}

}  // namespace

absl::StatusOr<LoopNest> DecomposeReduction(const LoopNest& nest, absl::string_view block, absl::string_view loop,
                                            absl::string_view name) {
  TF_ASSIGN_OR_RETURN(const Path path, FindBlock(nest, block));
  TF_ASSIGN_OR_RETURN(const Path loop_path, FindLoop(nest, loop));
  TF_RETURN_IF_ERROR(CheckNewName(nest, name));
  const Block& reduction = *As<Block>(path.target());
  const auto refuse = [&](absl::string_view why) { return Refuse(absl::StrCat("block '", block, "': ", why)); };
  if (std::find(path.stmts.begin(), path.stmts.end(), loop_path.target()) == path.stmts.end()) {
    return refuse(absl::StrCat("loop '", loop, "' is not around it"));
  }
  if (reduction.init.empty()) return refuse("it has no init (or it is decomposed already)");
  std::vector<const Loop*> outer = loop_path.Loops();
  outer.pop_back();
  TF_RETURN_IF_ERROR(CheckNoneVectorized(outer));
  const std::vector<const Loop*> inner = LoopsInside(path.Loops(), outer);
  TF_ASSIGN_OR_RETURN(const Execution execution, ExecutionOf(reduction, outer, inner));
  if (!execution.image.injective || !execution.image.ascending) {
    return refuse(absl::StrCat("iterations of loop '", loop, "' repeat its elements, expected each element once"));
  }
  Block init{.name = std::string(name), .scope = reduction.scope};
  std::vector<Range> ranges;
  for (size_t i = 0; i < reduction.iters.size(); ++i) {
    const BlockIter& iter = reduction.iters[i];
    const Range& range = execution.image.box[i];
    if (iter.kind == IterKind::kSpatial) {
      init.iters.push_back(iter);
      ranges.push_back(Narrowed(range, iter.extent));
      continue;
    }
    const std::optional<int64_t> first = ConstantInt(range.begin);
    if (first == 0) continue;
    return refuse(absl::StrCat("its reduction over ", iter.var->name, " starts outside loop '", loop,
                               "', expected all its loops at or inside it"));
  }
  init.predicate = execution.outer_predicate;
  init.body = reduction.init;
  for (const Store& store : init.body) {
    bool varies = UsesReduction(reduction, store.value);
    for (const Expr& index : store.indices) varies = varies || UsesReduction(reduction, index);
    if (varies) return refuse("its init depends on a reduction iterator");
  }
  init = WithInferredRegions(nest, std::move(init));
  TF_RETURN_IF_ERROR(CheckOthers(nest, loop_path.target(), reduction, init));
  TF_RETURN_IF_ERROR(CheckLoopNames(nest, init));

  Block update = reduction;
  update.init.clear();
  LoopNest result = ReplaceTarget(nest, path, MakeStmt(WithInferredRegions(nest, std::move(update))));
  TF_ASSIGN_OR_RETURN(const Path target, FindLoop(result, loop));
  const Stmt placed = PlaceBlock(std::move(init), ranges, {}, LoopRanges(outer));
  result = ReplaceTarget(result, target, MakeSeq({placed, target.target()}));
  TF_ASSIGN_OR_RETURN(const Path updated, FindBlock(result, block));
  TF_RETURN_IF_ERROR(CheckConcurrentLoops(result, updated));
  return result;
}

}  // namespace tunefleet::codegen
