#include "codegen/primitives/reorder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/independence.h"
#include "codegen/primitives/sites.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// The part of the tree that is reordered: a chain of loops.
struct Chain {
  Path path;                       // to the outermost loop
  std::vector<const Loop*> outer;  // loops around the chain
  std::vector<const Loop*> loops;  // outermost first
  const Stmt& body() const { return loops.back()->body; }
};

absl::StatusOr<Chain> FindChain(const LoopNest& nest, const std::vector<std::string>& names) {
  Path deepest;
  for (const std::string& name : names) {
    if (std::count(names.begin(), names.end(), name) > 1) {
      return absl::InvalidArgumentError(absl::StrCat("loop '", name, "' is named twice"));
    }
    TF_ASSIGN_OR_RETURN(Path path, FindLoop(nest, name));
    if (path.stmts.size() > deepest.stmts.size()) deepest = std::move(path);
  }
  std::vector<size_t> positions;
  for (const std::string& name : names) {
    const auto found = std::find_if(deepest.stmts.begin(), deepest.stmts.end(), [&name](const Stmt& stmt) {
      const Loop* loop = As<Loop>(stmt);
      return loop != nullptr && loop->var->name == name;
    });
    if (found == deepest.stmts.end()) {
      return Refuse(absl::StrCat("loop '", name, "' is not around loop '", As<Loop>(deepest.target())->var->name,
                                 "', expected loops of one chain"));
    }
    positions.push_back(static_cast<size_t>(found - deepest.stmts.begin()));
  }
  const size_t first = *std::min_element(positions.begin(), positions.end());
  Chain chain;
  for (size_t i = 0; i < deepest.stmts.size(); ++i) {
    const Loop* loop = As<Loop>(deepest.stmts[i]);
    if (i < first) {
      if (loop != nullptr) chain.outer.push_back(loop);
    } else if (loop == nullptr) {
      return Refuse(absl::StrCat("loop '", chain.loops.back()->var->name,
                                 "' holds several statements, expected a chain of loops down to loop '",
                                 As<Loop>(deepest.target())->var->name, "'"));
    } else {
      chain.loops.push_back(loop);
    }
  }
  deepest.stmts.resize(first + 1);
  chain.path = std::move(deepest);
  return chain;
}

std::vector<const Loop*> NewOrder(const Chain& chain, const std::vector<std::string>& names) {
  std::vector<const Loop*> order;
  auto next = names.begin();
  for (const Loop* loop : chain.loops) {
    if (std::find(names.begin(), names.end(), loop->var->name) != names.end()) {
      const auto chosen = std::find_if(chain.loops.begin(), chain.loops.end(),
                                       [&next](const Loop* other) { return other->var->name == *next; });
      loop = *chosen;
      ++next;
    }
    order.push_back(loop);
  }
  return order;
}

absl::Status CheckBounds(const std::vector<const Loop*>& order) {
  for (size_t i = 0; i < order.size(); ++i) {
    for (size_t j = i; j < order.size(); ++j) {
      if (UsesVar(order[i]->begin, order[j]->var) || UsesVar(order[i]->extent, order[j]->var)) {
        return Refuse(absl::StrCat("loop '", order[i]->var->name, "' has bounds that depend on loop '",
                                   order[j]->var->name, "', expected it to stay inside that"));
      }
    }
    if (order[i]->kind == LoopKind::kTensorized) {
      return Refuse(absl::StrCat("loop '", order[i]->var->name, "' is tensorized, expected it to stay in its place"));
    }
    if (order[i]->kind == LoopKind::kVectorized && i + 1 < order.size()) {
      return Refuse(absl::StrCat("loop '", order[i]->var->name, "' is vectorized, expected it to stay innermost"));
    }
  }
  return absl::OkStatus();
}

// Pairs that change places: first was outside second.
using Swaps = std::vector<std::pair<const Loop*, const Loop*>>;
Swaps SwapsOf(const std::vector<const Loop*>& before, const std::vector<const Loop*>& after) {
  Swaps swaps;
  for (size_t i = 0; i < before.size(); ++i) {
    for (size_t j = i + 1; j < before.size(); ++j) {
      const auto a = std::find(after.begin(), after.end(), before[i]);
      if (std::find(after.begin(), a, before[j]) != a) swaps.emplace_back(before[i], before[j]);
    }
  }
  return swaps;
}

bool Carries(const Block& block, const Loop& loop, bool ordered_only) {
  return std::any_of(block.iters.begin(), block.iters.end(), [&](const BlockIter& iter) {
    return (ordered_only ? iter.kind == IterKind::kOrdered : iter.kind != IterKind::kSpatial) &&
           UsesVar(iter.binding, loop.var);
  });
}

// Whether every load of a buffer that the block writes is of the very element that a store writes.
bool LoadsOnlyItsElements(const Block& block) {
  bool only = true;
  const auto check = [&](const Expr& node) {
    if (node->kind != ExprKind::kLoad || !Writes(block, node->buffer)) return;
    const auto is_target = [&node](const Store& store) {
      return store.buffer == node->buffer &&
             std::equal(store.indices.begin(), store.indices.end(), node->operands.begin(), StructurallyEqual);
    };
    only = only && (std::any_of(block.body.begin(), block.body.end(), is_target));
  };
  for (const std::vector<Store>* stores : {&block.init, &block.body}) {
    for (const Store& store : *stores) Visit(store.value, check);
  }
  return only;
}

absl::Status CheckBlock(const Site& site, const Chain& chain, const Swaps& swaps) {
  const Block& block = *site.block;
  const auto refuse = [&](const Loop& outside, const Loop& inside, absl::string_view why) {
    return Refuse(absl::StrCat("loops '", outside.var->name, "' and '", inside.var->name,
                               "' cannot change places around block '", block.name, "': ", why));
  };
  if (LoadsWhatItWrites(block) && !LoadsOnlyItsElements(block)) {
    return refuse(*swaps[0].first, *swaps[0].second, "it reads other elements of a buffer that it writes");
  }
  if (!IsReduction(block)) return absl::OkStatus();
  std::vector<Expr> bindings;
  std::vector<Expr> reduction_bindings;
  for (const BlockIter& iter : block.iters) {
    bindings.push_back(iter.binding);
    if (iter.kind != IterKind::kSpatial) reduction_bindings.push_back(iter.binding);
  }
  const VarRanges ranges = LoopRanges(site.loops);
  const std::vector<const Loop*> inner(site.loops.begin() + static_cast<std::ptrdiff_t>(chain.outer.size()),
                                       site.loops.end());
  const std::optional<BoxImage> image = ImageOf(bindings, inner, ranges);
  const std::optional<BoxImage> reduction = ImageOf(reduction_bindings, inner, ranges);
  for (const auto& [outside, inside] : swaps) {
    const bool outside_carries = Carries(block, *outside, false);
    const bool inside_carries = Carries(block, *inside, false);
    if (!outside_carries && !inside_carries) continue;
    if (outside_carries && inside_carries && (Carries(block, *outside, true) || Carries(block, *inside, true))) {
      return refuse(*outside, *inside, "its iterator is ordered");
    }
    if (outside_carries && inside_carries && !StoresCommute(block)) {
      return refuse(*outside, *inside, "it stores something else than sums or maxima");
    }
    if (!reduction.has_value() || !reduction->ascending) {
      return refuse(*outside, *inside, "its reduction does not start where its loops start");
    }
    if (!image.has_value() || !image->injective) {
      return refuse(*outside, *inside, "its reduction is repeated by a loop that does not tell its elements apart");
    }
  }
  return absl::OkStatus();
}

// Over several blocks: values pass between blocks within an iteration only, for one loop of each pair at least.
absl::Status CheckIndependence(const LoopNest& nest, const Chain& chain, const Swaps& swaps) {
  std::vector<const Loop*> around = chain.outer;
  around.insert(around.end(), chain.loops.begin(), chain.loops.end());
  const VarSet fixed = VarsOf(chain.outer);
  absl::flat_hash_map<const Loop*, absl::Status> status_of;
  const auto status = [&](const Loop* loop) {
    const auto found = status_of.find(loop);
    if (found != status_of.end()) return found->second;
    return status_of[loop] = CheckIndependent(nest, *loop, around, fixed, chain.body());
  };
  for (const auto& [outside, inside] : swaps) {
    if (status(outside).ok() || status(inside).ok()) continue;
    return Refuse(absl::StrCat("loops '", outside->var->name, "' and '", inside->var->name,
                               "' cannot change places around several blocks: ", status(outside).message()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<LoopNest> Reorder(const LoopNest& nest, const std::vector<std::string>& loops) {
  if (loops.empty()) return absl::InvalidArgumentError("no loops, expected at least one");
  TF_ASSIGN_OR_RETURN(const Chain chain, FindChain(nest, loops));
  const std::vector<const Loop*> order = NewOrder(chain, loops);
  const Swaps swaps = SwapsOf(chain.loops, order);
  if (swaps.empty()) return nest;
  TF_RETURN_IF_ERROR(CheckBounds(order));
  std::vector<const Loop*> around = chain.outer;
  around.insert(around.end(), chain.loops.begin(), chain.loops.end());
  const std::vector<Site> sites = SitesIn(chain.body(), around);
  for (const Site& site : sites) TF_RETURN_IF_ERROR(CheckBlock(site, chain, swaps));
  if (sites.size() > 1) TF_RETURN_IF_ERROR(CheckIndependence(nest, chain, swaps));

  Stmt stmt = chain.body();
  Path innermost = chain.path;
  innermost.stmts.pop_back();
  std::vector<Stmt> chain_stmts;
  for (size_t i = order.size(); i-- > 0;) {
    Loop loop = *order[i];
    loop.body = std::move(stmt);
    stmt = MakeStmt(std::move(loop));
    chain_stmts.push_back(stmt);
  }
  LoopNest result = ReplaceTarget(nest, chain.path, stmt);
  innermost.stmts.insert(innermost.stmts.end(), chain_stmts.rbegin(), chain_stmts.rend());
  TF_RETURN_IF_ERROR(CheckConcurrentLoops(result, innermost));
  return result;
}

}  // namespace tunefleet::codegen
