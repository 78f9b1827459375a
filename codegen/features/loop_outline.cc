#include "codegen/features/loop_outline.h"

#include <algorithm>
#include <utility>

#include "codegen/ir/element_size.h"
#include "codegen/ir/interval.h"
#include "codegen/ir/tree.h"

namespace tunefleet::codegen {
namespace {

bool Loads(const Expr& expr) {
  bool loads = false;
  Visit(expr, [&](const Expr& node) { loads |= node->kind == ExprKind::kLoad; });
  return loads;
}

bool IsMultiplyAdd(const Store& store) {
  return store.op == StoreOp::kAdd && store.value->kind == ExprKind::kBinary && store.value->op == BinaryOp::kMul &&
         Loads(store.value->operands[0]) && Loads(store.value->operands[1]);
}

class Outliner {
 public:
  explicit Outliner(const LoopNest& nest) : nest_(nest) {}

  LoopOutline Run() {
    if (nest_.run != nullptr) Walk(nest_.run);
    return std::move(outline_);
  }

 private:
  void Walk(const Stmt& stmt) {
    if (const Seq* seq = As<Seq>(stmt)) {
      for (const Stmt& child : seq->stmts) Walk(child);
    } else if (const If* branch = As<If>(stmt)) {
      Walk(branch->then_stmt);
    } else if (const Loop* loop = As<Loop>(stmt)) {
      const std::optional<Interval> extent = BoundsOf(loop->extent, ranges_);
      const int64_t most = extent.has_value() ? std::max<int64_t>(extent->max, 0) : 1;
      const std::optional<Interval> begin = BoundsOf(loop->begin, ranges_);
      ranges_[loop->var] =
          begin.has_value() ? Interval{begin->min, begin->max + std::max<int64_t>(most, 1) - 1} : Interval{0, most};
      path_.push_back(static_cast<int>(outline_.loops.size()));
      vars_.push_back(loop->var);
      outline_.loops.push_back({loop->var->name, most, loop->kind});
      Walk(loop->body);
      path_.pop_back();
      vars_.pop_back();
    } else if (const Block* block = As<Block>(stmt)) {
      AddBlock(*block);
    }
  }

  void AddBlock(const Block& block) {
    if (block.body.empty()) return;
    const VarMap bindings = BindingsOf(block);
    OutlineBlock out{block.name, path_, {}, 0};
    out.multiply_adds = std::count_if(block.body.begin(), block.body.end(), IsMultiplyAdd);
    const Store& store = block.body.front();
    out.accesses.push_back(AccessOf(store.buffer, true, store.indices, bindings));
    Visit(store.value, [&](const Expr& expr) {
      if (expr->kind != ExprKind::kLoad) return;
      const bool known = std::any_of(out.accesses.begin(), out.accesses.end(),
                                     [&](const OutlineAccess& access) { return access.buffer == expr->buffer; });
      if (!known) out.accesses.push_back(AccessOf(expr->buffer, false, expr->operands, bindings));
    });
    outline_.blocks.push_back(std::move(out));
  }

  OutlineAccess AccessOf(int buffer, bool write, const std::vector<Expr>& indices, const VarMap& bindings) const {
    const Buffer& declared = nest_.buffers[buffer];
    OutlineAccess access{buffer, write, ElementBytes(declared.type), declared.shape, {}};
    access.steps.assign(vars_.size(), std::vector<double>(indices.size(), 0.0));
    for (size_t d = 0; d < indices.size(); ++d) AddSteps(Substitute(indices[d], bindings), 1.0, d, access);
    return access;
  }

  void AddSteps(const Expr& index, double scale, size_t dimension, OutlineAccess& access) const {
    const LinearForm form = LinearFormOf(index);
    for (const auto& [atom, coefficient] : form.terms) {
      const double step = scale * static_cast<double>(coefficient);
      if (atom->kind == ExprKind::kVar) {
        const auto at = std::find(vars_.begin(), vars_.end(), atom->var);
        if (at != vars_.end()) access.steps[at - vars_.begin()][dimension] += step;
        continue;
      }
      if (atom->kind != ExprKind::kBinary) continue;
      const std::optional<int64_t> divisor = ConstantInt(atom->operands[1]);
      if (atom->op == BinaryOp::kFloorDiv && divisor.has_value() && *divisor != 0) {
        AddSteps(atom->operands[0], step / static_cast<double>(*divisor), dimension, access);
      } else if (atom->op == BinaryOp::kFloorMod) {
        AddSteps(atom->operands[0], step, dimension, access);
      }
    }
  }

  const LoopNest& nest_;
  LoopOutline outline_;
  std::vector<int> path_;
  std::vector<Var> vars_;
  VarRanges ranges_;
};

}  // namespace

double OutlineAccess::Stride(size_t loop) const {
  double stride = 0;
  double below = 1;  // elements per step of the dimension
  for (size_t d = shape.size(); d-- > 0;) {
    stride += steps[loop][d] * below;
    below *= static_cast<double>(shape[d]);
  }
  return stride;
}

LoopOutline OutlineOf(const LoopNest& nest) { return Outliner(nest).Run(); }

}  // namespace tunefleet::codegen
