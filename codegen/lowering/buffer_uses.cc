#include "codegen/lowering/buffer_uses.h"

#include <algorithm>
#include <utility>

#include "codegen/lowering/rewrite.h"

namespace tunefleet::codegen {
namespace {

class Collector {
 public:
  explicit Collector(const LoopNest& nest) : nest_(nest), uses_(nest.buffers.size()) {}

  void Walk(const Stmt& stmt) {
    path_.push_back(stmt);
    if (const Loop* loop = As<Loop>(stmt)) {
      ranges_[loop->var] = LoopRange(*loop, ranges_);
      Walk(loop->body);
      ranges_.erase(loop->var);
    } else if (const Seq* seq = As<Seq>(stmt)) {
      for (const Stmt& child : seq->stmts) Walk(child);
    } else if (const If* branch = As<If>(stmt)) {
      Walk(branch->then_stmt);
    } else if (const Block* block = As<Block>(stmt)) {
      AddBlock(*block);
    }
    path_.pop_back();
  }

  std::vector<std::vector<BufferUse>> Take() { return std::move(uses_); }

 private:
  void AddBlock(const Block& block) {
    VisitBlockExprs(block, [&](const Expr& expr) {
      Visit(expr, [&](const Expr& e) {
        if (e->kind == ExprKind::kLoad) Add(e->buffer, block, e->operands);
      });
    });
    for (const Store& store : block.body) Add(store.buffer, block, store.indices);
  }

  void Add(int buffer, const Block& block, const std::vector<Expr>& indices) {
    if (nest_.buffers[buffer].role != Role::kTemporary) return;
    uses_[buffer].push_back({path_, &block, indices, ranges_});
  }

  const LoopNest& nest_;
  std::vector<Stmt> path_;
  VarRanges ranges_;
  std::vector<std::vector<BufferUse>> uses_;
};

}  // namespace

std::vector<std::vector<BufferUse>> UsesOfTemporaries(const LoopNest& nest) {
  Collector collector(nest);
  if (nest.prepare != nullptr) collector.Walk(nest.prepare);
  if (nest.run != nullptr) collector.Walk(nest.run);
  return collector.Take();
}

std::vector<Stmt> CommonPath(const std::vector<BufferUse>& uses) {
  std::vector<Stmt> common = uses[0].path;
  for (const BufferUse& use : uses) {
    const size_t length = std::min(common.size(), use.path.size());
    const auto differ =
        std::mismatch(common.begin(), common.begin() + static_cast<std::ptrdiff_t>(length), use.path.begin()).first;
    common.erase(differ, common.end());
  }
  if (!common.empty()) common.pop_back();
  return common;
}

const Loop* ParallelLoopOf(const BufferUse& use) {
  for (const Stmt& stmt : use.path) {
    const Loop* loop = As<Loop>(stmt);
    if (loop != nullptr && loop->kind == LoopKind::kParallel) return loop;
  }
  return nullptr;
}

}  // namespace tunefleet::codegen
