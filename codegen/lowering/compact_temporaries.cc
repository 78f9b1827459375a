#include "codegen/lowering/compact_temporaries.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/strip.h"
#include "codegen/ir/tree.h"
#include "codegen/lowering/buffer_uses.h"
#include "codegen/lowering/rewrite.h"
#include "codegen/lowering/whole_vectors.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kMostLanes = 64;

// index = offset + something in [0, extent).
struct Window {
  Expr offset;
  int64_t extent;
};

// The summands that do not vary while the buffer lives.
Expr FixedPart(const Expr& index, const VarSet& fixed) {
  LinearForm form = LinearFormOf(index);
  form.constant = 0;
  const auto varies_inside = [&](const auto& term) {
    bool varies = false;
    Visit(term.first, [&](const Expr& e) {
      varies = varies || e->kind == ExprKind::kLoad || (e->kind == ExprKind::kVar && !fixed.contains(e->var));
    });
    return varies;
  };
  form.terms.erase(std::remove_if(form.terms.begin(), form.terms.end(), varies_inside), form.terms.end());
  return ToExpr(form);
}

// The smallest window over the bases that the accesses suggest, up to `slack` over `extent`; else all of the extent.
Window WindowOf(const std::vector<BufferUse>& uses, size_t dimension, int64_t extent, int64_t slack,
                const VarSet& fixed) {
  Window best{Int(0), extent};
  int64_t limit = extent + slack + 1;
  std::vector<Expr> bases;
  for (const BufferUse& use : uses) {
    Expr base = FixedPart(use.indices[dimension], fixed);
    const bool known =
        std::any_of(bases.begin(), bases.end(), [&](const Expr& other) { return StructurallyEqual(other, base); });
    if (!known) bases.push_back(std::move(base));
  }
  for (const Expr& base : bases) {
    std::optional<Interval> window;
    for (const BufferUse& use : uses) {
      const std::optional<Interval> bounds = BoundsOf(Simplify(use.indices[dimension] - base, use.ranges), use.ranges);
      if (!bounds.has_value()) {
        window.reset();
        break;
      }
      if (!window.has_value()) window = bounds;
      window->min = std::min(window->min, bounds->min);
      window->max = std::max(window->max, bounds->max);
    }
    if (window.has_value() && window->max - window->min + 1 < limit) {
      limit = window->max - window->min + 1;
      best = {base + Int(window->min), limit};
    }
  }
  return best;
}

// Loops around the innermost statement that contains all uses.
VarSet FixedVars(const std::vector<BufferUse>& uses) {
  const auto original = [](const BufferUse& use) { return absl::StripSuffix(use.block->name, ".init"); };
  const bool one_block =
      std::all_of(uses.begin(), uses.end(), [&](const BufferUse& use) { return original(use) == original(uses[0]); });
  if (one_block) return {};
  VarSet fixed;
  for (const Stmt& stmt : CommonPath(uses)) {
    if (const Loop* loop = As<Loop>(stmt)) fixed.insert(loop->var);
  }
  return fixed;
}

VarSet LaneVars(const Stmt& root) {
  VarSet lanes;
  for (const Loop* loop : LoopsIn(root)) {
    if (loop->kind == LoopKind::kVectorized) lanes.insert(loop->var);
  }
  return lanes;
}

}  // namespace

LoopNest CompactTemporaries(const LoopNest& nest) {
  const std::vector<std::vector<BufferUse>> uses = UsesOfTemporaries(nest);
  LoopNest compact = nest;
  std::vector<std::vector<Expr>> offsets(nest.buffers.size());
  for (size_t b = 0; b < nest.buffers.size(); ++b) {
    if (uses[b].empty()) continue;
    const VarSet fixed = FixedVars(uses[b]);
    for (size_t d = 0; d < nest.buffers[b].shape.size(); ++d) {
      // A register tile has room for whole vectors, though a predicate leaves out lanes past the end.
      const bool lanes = nest.buffers[b].scope == Scope::kLocal && d + 1 == nest.buffers[b].shape.size();
      Window window = WindowOf(uses[b], d, nest.buffers[b].shape[d], lanes ? kMostLanes - 1 : 0, fixed);
      compact.buffers[b].shape[d] = window.extent;
      offsets[b].push_back(std::move(window.offset));
    }
  }

  const auto relative = [&](int buffer, std::vector<Expr> indices, const VarRanges& ranges) {
    for (size_t d = 0; d < offsets[buffer].size(); ++d) {
      if (ConstantInt(offsets[buffer][d]) != 0) indices[d] = Simplify(indices[d] - offsets[buffer][d], ranges);
    }
    return indices;
  };
  return WithRoots(compact, [&](const Stmt& root) {
    const VarSet lanes = LaneVars(root);
    return RewriteBlocks(root, [&](const Block& block, const VarRanges& ranges) {
      const auto rewrite = [&](const Expr& expr) {
        return Rewrite(expr, [&](const Expr& e) {
          return e->kind == ExprKind::kLoad && !offsets[e->buffer].empty()
                     ? Load(e->buffer, e->type, relative(e->buffer, e->operands, ranges))
                     : e;
        });
      };
      Block copy = block;
      for (Store& store : copy.body) {
        for (Expr& index : store.indices) index = rewrite(index);
        store.indices = relative(store.buffer, std::move(store.indices), ranges);
        store.value = rewrite(store.value);
      }
      if (block.body.size() == 1 && nest.buffers[block.body[0].buffer].scope == Scope::kLocal &&
          !block.body[0].indices.empty()) {
        const std::optional<Interval> row = BoundsOf(copy.body[0].indices.back(), ranges);
        const bool has_room =
            row.has_value() && row->min >= 0 && row->max < compact.buffers[block.body[0].buffer].shape.back();
        const int64_t extent = nest.buffers[block.body[0].buffer].shape.back();
        if (has_room) copy = WithWholeVectors(std::move(copy), lanes, block.body[0].indices.back(), extent);
      }
      return MakeStmt(std::move(copy));
    });
  });
}

}  // namespace tunefleet::codegen
