#include "codegen/primitives/accumulate_at.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/independence.h"
#include "codegen/primitives/move.h"
#include "codegen/primitives/placement.h"
#include "codegen/primitives/sites.h"
#include "codegen/primitives/sum_block.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// The outer loops that reduction iterators are made of: one for each pass. Errors: FAILED_PRECONDITION.
absl::StatusOr<std::vector<const Loop*>> PassLoops(const Block& block, const std::vector<const Loop*>& outer,
                                                   const VarRanges& ranges) {
  std::vector<const Loop*> passes;
  for (const Loop* loop : outer) {
    bool reduces = false, moves = false;
    for (const BlockIter& iter : block.iters) {
      if (UsesVar(iter.binding, loop->var)) (iter.kind == IterKind::kSpatial ? moves : reduces) = true;
    }
    if (!reduces) continue;
    if (moves) {
      return RefuseBlock(block, absl::StrCat("loop '", loop->var->name,
                                             "' makes both a spatial and a reduction iterator, expected one of them"));
    }
    if (!ConstantRange(*loop).has_value()) {
      return RefuseBlock(block, absl::StrCat("loop '", loop->var->name, "' has bounds that are not constant"));
    }
    for (const Expr& conjunct : block.predicate) {
      const bool tail = FollowsFromDomain(conjunct, block, ranges);
      if (!tail && UsesVar(conjunct, loop->var)) {
        return RefuseBlock(block, absl::StrCat("a predicate leaves out iterations of loop '", loop->var->name, "'"));
      }
    }
    passes.push_back(loop);
  }
  return passes;
}

absl::Status CheckOthers(const LoopNest& nest, const Stmt& loop, const Block& block, int buffer) {
  for (const Block* other : BlocksIn(loop)) {
    if (other == &block || !(Writes(*other, buffer) || Reads(*other, buffer))) continue;
    return Refuse(absl::StrCat("block '", other->name, "' uses buffer '", nest.buffers[buffer].name,
                               "' in the loop, expected only block '", block.name, "'"));
  }
  return absl::OkStatus();
}

// The blocks around the sum, and the iterations that they run over in one iteration of the outer loops.
struct Parts {
  Block init, zero, out;
  std::vector<Range> ranges;      // of init and zero
  std::vector<Range> out_ranges;  // the pass first
};

Parts PartsOf(const Block& sum, const Execution& execution, const std::vector<const Loop*>& outer,
              const std::vector<const Loop*>& passes, absl::string_view name) {
  Parts parts;
  std::vector<Expr> first_pass;
  for (const Loop* pass : passes) {
    const Expr number = VarRef(pass->var) - pass->begin;
    parts.out.iters.push_back({MakeVar(pass->var->name), IterKind::kReduction, *ConstantInt(pass->extent), nullptr});
    parts.out_ranges.push_back({number, 1});
    if (ConstantInt(pass->extent) != 1) first_pass.push_back(Equal(number, Int(0)));
  }
  for (size_t i = 0; i < sum.iters.size(); ++i) {
    if (sum.iters[i].kind != IterKind::kSpatial) continue;
    parts.init.iters.push_back(sum.iters[i]);
    parts.out.iters.push_back(sum.iters[i]);
    parts.ranges.push_back(Narrowed(execution.image.box[i], sum.iters[i].extent));
    parts.out_ranges.push_back(parts.ranges.back());
  }
  for (const Expr& conjunct : execution.outer_predicate) {
    // One that speaks of a pass is the tail of a reduction iterator: past it, zero is added.
    const bool of_pass =
        std::any_of(passes.begin(), passes.end(), [&](const Loop* pass) { return UsesVar(conjunct, pass->var); });
    if (of_pass && FollowsFromDomain(conjunct, sum, LoopRanges(outer))) continue;
    parts.init.predicate.push_back(conjunct);
  }
  parts.out.predicate = parts.init.predicate;
  parts.zero = parts.init;
  parts.zero.predicate.insert(parts.zero.predicate.end(), first_pass.begin(), first_pass.end());
  parts.init.name = absl::StrCat(name, ".init");
  parts.zero.name = absl::StrCat(name, ".zero");
  parts.out.name = absl::StrCat(name, ".out");
  for (Block* block : {&parts.init, &parts.zero, &parts.out}) block->scope = sum.scope;
  return parts;
}

// The loop with statements put before and after the one that holds the block.
Stmt Surrounded(const Loop& loop, absl::string_view block, const Stmt& before, const Stmt& after) {
  std::vector<Stmt> stmts;
  for (const Stmt& child : BodyStmts(loop)) {
    const std::vector<const Block*> blocks = BlocksIn(child);
    const bool holds = std::any_of(blocks.begin(), blocks.end(), [&](const Block* b) { return b->name == block; });
    if (holds) stmts.push_back(before);
    stmts.push_back(child);
    if (holds) stmts.push_back(after);
  }
  Loop copy = loop;
  copy.body = MakeSeq(std::move(stmts));
  return MakeStmt(std::move(copy));
}

}  // namespace

absl::StatusOr<LoopNest> AccumulateAt(const LoopNest& nest, absl::string_view block, absl::string_view loop,
                                      absl::string_view scope, absl::string_view name) {
  TF_ASSIGN_OR_RETURN(const SumToCut found, FindSumToCut(nest, block, loop, scope, name));
  const auto& [path, loop_path, new_scope] = found;
  const Block& sum = *As<Block>(path.target());
  TF_RETURN_IF_ERROR(CheckSum(sum));
  const std::vector<const Loop*> outer = loop_path.Loops();
  const std::vector<const Loop*> inner = LoopsInside(path.Loops(), outer);
  TF_RETURN_IF_ERROR(CheckNoneVectorized(outer));
  TF_ASSIGN_OR_RETURN(const Execution execution, ExecutionOf(sum, outer, inner));
  if (!execution.image.injective || !execution.image.ascending) {
    return RefuseBlock(
        sum, absl::StrCat("iterations inside loop '", loop, "' repeat its elements, expected each element once"));
  }
  TF_ASSIGN_OR_RETURN(const std::vector<const Loop*> passes, PassLoops(sum, outer, LoopRanges(path.Loops())));
  const int target = sum.body[0].buffer;
  TF_RETURN_IF_ERROR(CheckOthers(nest, loop_path.target(), sum, target));

  LoopNest result = nest;
  const int partial = static_cast<int>(nest.buffers.size());
  const Buffer& original = nest.buffers[target];
  result.buffers.push_back({.name = std::string(name),
                            .type = original.type,
                            .shape = original.shape,
                            .role = Role::kTemporary,
                            .scope = new_scope});
  const std::vector<Expr>& at = sum.body[0].indices;
  Parts parts = PartsOf(sum, execution, outer, passes, name);
  parts.init.body = {Store{partial, at, StoreOp::kAssign, Zero(original.type)}};
  parts.zero.body = sum.init;
  parts.out.body = {Store{target, at, StoreOp::kAdd, Load(partial, original.type, at)}};
  for (const Block* placed : {&parts.init, &parts.zero, &parts.out}) {
    TF_RETURN_IF_ERROR(CheckNewName(nest, placed->name));
    TF_RETURN_IF_ERROR(CheckLoopNames(nest, *placed));
  }

  Block update = sum;
  update.init.clear();
  update.body[0].buffer = partial;
  const auto place = [&](const Block& placed, const std::vector<Range>& ranges) {
    return PlaceBlock(WithInferredRegions(result, placed), ranges, {}, LoopRanges(outer));
  };
  LoopNest updated = ReplaceTarget(result, path, MakeStmt(WithInferredRegions(result, std::move(update))));
  TF_ASSIGN_OR_RETURN(const Path target_loop, FindLoop(updated, loop));
  updated = ReplaceTarget(updated, target_loop,
                          Surrounded(*As<Loop>(target_loop.target()), block, place(parts.init, parts.ranges),
                                     MakeSeq({place(parts.zero, parts.ranges), place(parts.out, parts.out_ranges)})));
  TF_ASSIGN_OR_RETURN(const Path moved, FindBlock(updated, block));
  TF_RETURN_IF_ERROR(CheckConcurrentLoops(updated, moved));
  return updated;
}

}  // namespace tunefleet::codegen
