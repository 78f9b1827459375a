#include "codegen/llvm/register_tile.h"

#include <algorithm>
#include <optional>

#include "codegen/ir/element_size.h"
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
}

bool RegisterTile::BeginsStep(const Block& block) {
  if (!large_) return false;
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
