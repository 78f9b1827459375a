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
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

absl::Status RefuseBlock(const Block& block, absl::string_view why) {
  return Refuse(absl::StrCat("block '", block.name, "': ", why));
}

// Errors: FAILED_PRECONDITION unless the block is a sum of one element per instance, whose init is still its own.
absl::Status CheckSum(const Block& block) {
  if (block.init.empty()) return RefuseBlock(block, "it has no init (or it is decomposed already)");
  if (block.init.size() != 1 || block.body.size() != 1 || block.body[0].op != StoreOp::kAdd ||
      !std::equal(block.init[0].indices.begin(), block.init[0].indices.end(), block.body[0].indices.begin(),
                  block.body[0].indices.end(), StructurallyEqual)) {
    return RefuseBlock(block, "expected one sum into one element");
  }
  for (const BlockIter& iter : block.iters) {
    if (iter.kind == IterKind::kOrdered) return RefuseBlock(block, "it has an ordered iterator, expected a sum");
    if (iter.kind == IterKind::kSpatial) continue;
    bool varies = UsesVar(block.init[0].value, iter.var);
    for (const Expr& index : block.init[0].indices) varies = varies || UsesVar(index, iter.var);
    if (varies) return RefuseBlock(block, "its element or init depends on a reduction iterator");
  }
  return absl::OkStatus();
}

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

}  // namespace

absl::StatusOr<LoopNest> AccumulateAt(const LoopNest& nest, absl::string_view block, absl::string_view loop,
                                      absl::string_view scope, absl::string_view name) {
  TF_ASSIGN_OR_RETURN(const Path path, FindBlock(nest, block));
  TF_ASSIGN_OR_RETURN(const Path loop_path, FindLoop(nest, loop));
  TF_ASSIGN_OR_RETURN(const Scope new_scope, ScratchScope(scope));
  TF_RETURN_IF_ERROR(CheckNewName(nest, name));
  const Block& sum = *As<Block>(path.target());
  if (std::find(path.stmts.begin(), path.stmts.end(), loop_path.target()) == path.stmts.end())
    return RefuseBlock(sum, absl::StrCat("loop '", loop, "' is not around it"));
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
  Block init{.name = absl::StrCat(name, ".init"), .scope = sum.scope};
  Block out{.name = absl::StrCat(name, ".out"), .scope = sum.scope};
  std::vector<Range> ranges, out_ranges;
  std::vector<Expr> first_pass;
  for (const Loop* pass : passes) {
    const Expr number = VarRef(pass->var) - pass->begin;
    out.iters.push_back({MakeVar(pass->var->name), IterKind::kReduction, *ConstantInt(pass->extent), nullptr});
    out_ranges.push_back({number, 1});
    if (ConstantInt(pass->extent) != 1) first_pass.push_back(Equal(number, Int(0)));
  }
  for (size_t i = 0; i < sum.iters.size(); ++i) {
    if (sum.iters[i].kind != IterKind::kSpatial) continue;
    init.iters.push_back(sum.iters[i]);
    out.iters.push_back(sum.iters[i]);
    ranges.push_back(Narrowed(execution.image.box[i], sum.iters[i].extent));
    out_ranges.push_back(ranges.back());
  }
  for (const Expr& conjunct : execution.outer_predicate) {
    if (FollowsFromDomain(conjunct, sum, LoopRanges(outer)) &&
        std::any_of(passes.begin(), passes.end(), [&](const Loop* p) { return UsesVar(conjunct, p->var); })) {
      continue;  // the tail of a reduction iterator
    }
    init.predicate.push_back(conjunct);
  }
  out.predicate = init.predicate;
  Block zero = init;
  zero.name = absl::StrCat(name, ".zero");
  zero.predicate.insert(zero.predicate.end(), first_pass.begin(), first_pass.end());
  init.body = {Store{partial, at, StoreOp::kAssign, Zero(original.type)}};
  zero.body = sum.init;
  out.body = {Store{target, at, StoreOp::kAdd, Load(partial, original.type, at)}};
  for (const Block* placed : {&init, &zero, &out}) {
    TF_RETURN_IF_ERROR(CheckNewName(nest, placed->name));
    TF_RETURN_IF_ERROR(CheckLoopNames(nest, *placed));
  }

  Block update = sum;
  update.init.clear();
  update.body[0].buffer = partial;
  const VarRanges loops = LoopRanges(outer);
  const auto place = [&](Block placed, const std::vector<Range>& over) {
    return PlaceBlock(WithInferredRegions(result, std::move(placed)), over, {}, loops);
  };
  const Stmt before = place(std::move(init), ranges);
  const Stmt zeros = place(std::move(zero), ranges);
  const Stmt after = place(std::move(out), out_ranges);
  LoopNest updated = ReplaceTarget(result, path, MakeStmt(WithInferredRegions(result, std::move(update))));
  TF_ASSIGN_OR_RETURN(const Path target_loop, FindLoop(updated, loop));
  Loop copy = *As<Loop>(target_loop.target());
  std::vector<Stmt> stmts;
  for (const Stmt& child : BodyStmts(copy)) {
    const std::vector<const Block*> blocks = BlocksIn(child);
    const bool holds = std::any_of(blocks.begin(), blocks.end(), [&](const Block* b) { return b->name == block; });
    if (holds) stmts.push_back(before);
    stmts.push_back(child);
    if (!holds) continue;
    stmts.push_back(zeros);
    stmts.push_back(after);
  }
  copy.body = MakeSeq(std::move(stmts));
  updated = ReplaceTarget(updated, target_loop, MakeStmt(std::move(copy)));
  TF_ASSIGN_OR_RETURN(const Path moved, FindBlock(updated, block));
  TF_RETURN_IF_ERROR(CheckConcurrentLoops(updated, moved));
  return updated;
}

}  // namespace tunefleet::codegen
