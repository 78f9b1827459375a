#include "codegen/llvm/register_tile.h"

#include <algorithm>
#include <optional>

#include "codegen/ir/element_size.h"
#include "codegen/ir/printer.h"
#include "codegen/ir/tree.h"

namespace tunefleet::codegen {
namespace {

// The element's constant indices; what depends on the lane counts as one place. Nullopt: not an accumulator.
std::optional<std::vector<int64_t>> Place(const Store& store) {
  if (store.op == StoreOp::kAssign) return std::nullopt;
  std::vector<int64_t> place;
  for (const Expr& index : store.indices) {
    const LinearForm form = LinearFormOf(index);
    if (form.terms.size() > 1 || (form.terms.size() == 1 && form.terms[0].first->kind != ExprKind::kVar)) {
      return std::nullopt;
    }
    place.push_back(form.constant);
  }
  return place;
}

bool Folds(const LoopNest& nest, const Expr& load) { return nest.buffers[load->buffer].fold_loads; }

// The loads of the values that the block stores.
std::vector<Expr> LoadsOf(const Block& block) {
  std::vector<Expr> loads;
  for (const Store& store : block.body) {
    Visit(store.value, [&](const Expr& expr) {
      if (expr->kind == ExprKind::kLoad) loads.push_back(expr);
    });
  }
  return loads;
}

}  // namespace

void RegisterTile::Begin(const LoopNest& nest, const Stmt& body) {
  updated_.clear();
  absl::flat_hash_set<Element> accumulators;
  int64_t bits = 0;
  const auto add = [&](const Stmt& stmt, int64_t lanes, const auto& self) -> void {
    if (const Seq* seq = As<Seq>(stmt)) {
      for (const Stmt& child : seq->stmts) self(child, lanes, self);
    } else if (const If* branch = As<If>(stmt)) {
      self(branch->then_stmt, lanes, self);
    } else if (const Loop* loop = As<Loop>(stmt)) {
      if (loop->kind == LoopKind::kVectorized) self(loop->body, ConstantInt(loop->extent).value_or(1), self);
    } else if (const Block* block = As<Block>(stmt)) {
      for (const Store& store : block->body) {
        if (nest.buffers[store.buffer].scope != Scope::kLocal) continue;
        const std::optional<std::vector<int64_t>> place = Place(store);
        if (!place.has_value() || !accumulators.emplace(store.buffer, *place).second) continue;
        const int64_t value_bits = lanes * ElementBytes(nest.buffers[store.buffer].type) * 8;
        bits += std::max(value_bits, registers_.bits);
      }
    }
  };
  add(body, 1, add);
  large_ = 2 * bits >= registers_.count * registers_.bits;
  nest_ = &nest;
  scalar_.clear();
  folded_ = folds_ = 0;
  if (large_ && nest.FoldsLoads()) PlanFolds(body);
  updated_.clear();
}

// Every step loads and multiplies as the first one does.
void RegisterTile::PlanFolds(const Stmt& body) {
  int64_t multiply_adds = 0;
  absl::flat_hash_set<std::string> loads, scalars;
  for (const Block* block : BlocksIn(body)) {
    if (BeginsStep(*block)) break;
    const std::vector<Expr> of_block = LoadsOf(*block);
    const auto folds = [&](const Expr& load) { return Folds(*nest_, load); };
    if (std::none_of(of_block.begin(), of_block.end(), folds)) continue;
    ++multiply_adds;
    for (const Expr& load : of_block) {
      const auto [text, is_new] = loads.insert(Print(*nest_, load));
      if (is_new && folds(load)) scalars.insert(*text);
    }
  }
  const auto shared = static_cast<int64_t>(scalars.size());
  if (shared == 0 || multiply_adds / shared < 2) return;
  const int64_t room = multiply_adds - static_cast<int64_t>(loads.size());
  folds_ = std::clamp<int64_t>(room / (multiply_adds / shared - 1), 0, shared);
}

bool RegisterTile::FenceBefore(const Block& block) {
  if (!large_) return false;
  const bool step = BeginsStep(block);
  if (step) {
    folded_ = 0;
    scalar_.clear();
  }
  return (folds_ > 0 && LoadsAgain(block)) || step;
}

bool RegisterTile::LoadsAgain(const Block& block) {
  std::vector<std::string> foldable;
  for (const Expr& load : LoadsOf(block)) {
    if (Folds(*nest_, load)) foldable.push_back(Print(*nest_, load));
  }
  if (foldable.size() == 1 && foldable[0] == scalar_) return true;
  scalar_.clear();
  if (foldable.size() == 1 && folded_ < folds_) {
    scalar_ = foldable[0];
    ++folded_;
  }
  return false;
}

bool RegisterTile::BeginsStep(const Block& block) {
  bool again = false;
  std::vector<Element> elements;
  for (const Store& store : block.body) {
    const std::optional<std::vector<int64_t>> place = Place(store);
    if (!place.has_value()) continue;
    elements.emplace_back(store.buffer, *place);
    again = again || updated_.contains(elements.back());
  }
  if (again) updated_.clear();
  updated_.insert(elements.begin(), elements.end());
  return again;
}

}  // namespace tunefleet::codegen
