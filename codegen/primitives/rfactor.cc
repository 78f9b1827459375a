#include "codegen/primitives/rfactor.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/affine.h"
#include "codegen/primitives/independence.h"
#include "codegen/primitives/placement.h"
#include "codegen/primitives/root.h"
#include "codegen/primitives/sites.h"
#include "codegen/primitives/sum_block.h"
#include "codegen/primitives/written_box.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// The reduction iterator that the loop makes. Errors: FAILED_PRECONDITION.
absl::StatusOr<size_t> FactoredIter(const Block& block, const Loop& loop) {
  std::vector<size_t> made;
  for (size_t i = 0; i < block.iters.size(); ++i) {
    if (UsesVar(block.iters[i].binding, loop.var)) made.push_back(i);
  }
  if (made.size() != 1 || block.iters[made[0]].kind != IterKind::kReduction) {
    return RefuseBlock(block, absl::StrCat("loop '", loop.var->name, "' makes ", made.size(),
                                           " of its iterators, expected one, a reduction"));
  }
  return made[0];
}

// The loops that make the iterator. Errors: FAILED_PRECONDITION.
absl::StatusOr<std::vector<const Loop*>> LoopsOf(const Block& block, size_t iter,
                                                 const std::vector<const Loop*>& loops) {
  std::vector<const Loop*> made_of;
  for (const Loop* loop : loops) {
    if (!UsesVar(block.iters[iter].binding, loop->var)) continue;
    if (!ConstantRange(*loop).has_value()) {
      return RefuseBlock(block, absl::StrCat("loop '", loop->var->name, "' has bounds that are not constant"));
    }
    TF_RETURN_IF_ERROR(FactoredIter(block, *loop).status());
    made_of.push_back(loop);
  }
  return made_of;
}

struct Factored {
  Block block;
  Var lane;  // its iterator that stands for the factored loop
};

// The block with the loops, some of those around it, as iterators in place of iterator `iter`; `factored` is the
// spatial one.
absl::StatusOr<Factored> WithLoopsAsIters(const Block& sum, size_t iter, const std::vector<const Loop*>& loops,
                                          const Loop* factored, const std::vector<const Loop*>& around) {
  Block block = sum;
  VarMap iters;
  std::vector<BlockIter> made;
  Var lane;
  for (const Loop* loop : loops) {
    for (const BlockIter& other : sum.iters) {
      if (other.var->name == loop->var->name && &other != &sum.iters[iter]) {
        return RefuseBlock(sum, absl::StrCat("it has an iterator '", loop->var->name, "' already"));
      }
    }
    const IterKind kind = loop == factored ? IterKind::kSpatial : IterKind::kReduction;
    made.push_back({MakeVar(loop->var->name), kind, *ConstantInt(loop->extent), VarRef(loop->var) - loop->begin});
    iters[loop->var] = VarRef(made.back().var) + loop->begin;
    if (loop == factored) lane = made.back().var;
  }
  const VarMap value = {{sum.iters[iter].var, Substitute(sum.iters[iter].binding, iters)}};
  block = RewriteBlockExprs(std::move(block), [&value](const Expr& expr) { return Substitute(expr, value); });
  const auto place = block.iters.begin() + static_cast<std::ptrdiff_t>(iter);
  block.iters.insert(block.iters.erase(place), made.begin(), made.end());

  const VarSet moved = VarsOf(loops);
  VarSet others = VarsOf(around);
  for (const Var& var : moved) others.erase(var);
  block.predicate.clear();
  for (const Expr& conjunct : sum.predicate) {
    if (!UsesAny(conjunct, moved)) {
      block.predicate.push_back(conjunct);
      continue;
    }
    if (UsesAny(conjunct, others)) {
      return RefuseBlock(sum, absl::StrCat("a predicate speaks of loop '", factored->var->name, "' and of others"));
    }
    block.guard.push_back(Substitute(conjunct, iters));
  }
  return Factored{std::move(block), std::move(lane)};
}

}  // namespace

absl::StatusOr<LoopNest> RFactor(const LoopNest& nest, absl::string_view block, absl::string_view loop,
                                 absl::string_view scope, absl::string_view name) {
  TF_ASSIGN_OR_RETURN(const SumToCut found, FindSumToCut(nest, block, loop, scope, name));
  const auto& [path, loop_path, new_scope] = found;
  const Block& sum = *As<Block>(path.target());
  const Loop& factored = *As<Loop>(loop_path.target());
  TF_RETURN_IF_ERROR(CheckSerial(factored));
  TF_RETURN_IF_ERROR(CheckSum(sum));
  for (const BlockIter& each : sum.iters) {
    if (UsesVar(sum.init[0].value, each.var)) return RefuseBlock(sum, "its init is not the same for all elements");
  }
  TF_ASSIGN_OR_RETURN(const size_t iter, FactoredIter(sum, factored));
  TF_ASSIGN_OR_RETURN(const std::vector<const Loop*> loops, LoopsOf(sum, iter, path.Loops()));
  TF_ASSIGN_OR_RETURN(const Execution execution, ExecutionOf(sum, {}, path.Loops()));
  if (!execution.image.injective) return RefuseBlock(sum, "its loops repeat its elements, expected each element once");
  const int target = sum.body[0].buffer;
  if (WritersOf(nest, target).size() != 1) return RefuseBlock(sum, "another block writes its buffer, too");
  TF_RETURN_IF_ERROR(CheckReadAfter(nest, path, target));
  TF_ASSIGN_OR_RETURN(const std::vector<Range> box, WrittenBox(nest, {&sum, path.Loops()}, target));

  LoopNest result = nest;
  const Buffer& original = nest.buffers[target];
  const int64_t extent = *ConstantInt(factored.extent);
  const int partial = static_cast<int>(nest.buffers.size());
  std::vector<int64_t> shape = original.shape;
  shape.push_back(extent);
  result.buffers.push_back({.name = std::string(name),
                            .type = original.type,
                            .shape = std::move(shape),
                            .role = Role::kTemporary,
                            .scope = new_scope});

  TF_ASSIGN_OR_RETURN(Factored factor, WithLoopsAsIters(sum, iter, loops, &factored, path.Loops()));
  Block& update = factor.block;
  for (Store* store : {&update.init[0], &update.body[0]}) {
    store->buffer = partial;
    store->indices.push_back(VarRef(factor.lane));
  }
  update.init[0].value = Zero(original.type);

  std::vector<int64_t> extents;
  for (const Range& range : box) extents.push_back(range.extent);
  Block add = ElementwiseBlock(absl::StrCat(name, ".out"), extents);
  std::vector<Expr> at = IterRefs(add);
  for (size_t d = 0; d < at.size(); ++d) at[d] = at[d] + box[d].begin;
  for (const BlockIter& each : add.iters) {
    if (each.var->name == factored.var->name) {
      return RefuseBlock(sum, absl::StrCat("loop '", factored.var->name, "' is named like a dimension of the sum"));
    }
  }
  add.iters.push_back({MakeVar(factored.var->name), IterKind::kReduction, extent, nullptr});
  std::vector<Expr> part = at;
  part.push_back(VarRef(add.iters.back().var));
  add.init = {Store{target, at, StoreOp::kAssign, sum.init[0].value}};
  add.body = {Store{target, at, StoreOp::kAdd, Load(partial, original.type, std::move(part))}};
  TF_RETURN_IF_ERROR(CheckNewName(nest, add.name));
  TF_RETURN_IF_ERROR(CheckLoopNames(nest, add));

  result = ReplaceAndPlace(result, path, MakeStmt(WithInferredRegions(result, std::move(update))),
                           PlaceAtRoot(WithInferredRegions(result, std::move(add))), Place::kAfter);
  TF_ASSIGN_OR_RETURN(const Path updated, FindBlock(result, block));
  TF_RETURN_IF_ERROR(CheckConcurrentLoops(result, updated));
  return result;
}

}  // namespace tunefleet::codegen
