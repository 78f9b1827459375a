#include "codegen/lowering/parallel_loops.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "codegen/ir/tree.h"
#include "codegen/lowering/buffer_uses.h"
#include "codegen/lowering/rewrite.h"

namespace tunefleet::codegen {
namespace {

Stmt Serialize(const Stmt& stmt, bool in_task) {
  if (const Seq* seq = As<Seq>(stmt)) {
    std::vector<Stmt> stmts;
    for (const Stmt& child : seq->stmts) stmts.push_back(Serialize(child, in_task));
    return MakeSeq(std::move(stmts));
  }
  if (const If* branch = As<If>(stmt)) return MakeStmt(If{branch->condition, Serialize(branch->then_stmt, in_task)});
  const Loop* loop = As<Loop>(stmt);
  if (loop == nullptr) return stmt;
  Loop copy = *loop;
  if (copy.kind == LoopKind::kParallel && in_task) copy.kind = LoopKind::kSerial;
  copy.body = Serialize(loop->body, in_task || copy.kind == LoopKind::kParallel);
  return MakeStmt(std::move(copy));
}

// The variables of parallel loops with a workspace buffer inside.
VarSet LoopsWithWorkspace(const LoopNest& nest) {
  VarSet vars;
  const std::vector<std::vector<BufferUse>> uses = UsesOfTemporaries(nest);
  for (size_t b = 0; b < uses.size(); ++b) {
    if (nest.buffers[b].scope == Scope::kLocal) continue;
    for (const BufferUse& use : uses[b]) {
      if (const Loop* loop = ParallelLoopOf(use)) vars.insert(loop->var);
    }
  }
  return vars;
}

Stmt Chunk(const Stmt& stmt, const VarSet& vars, int max_tasks, VarRanges& ranges) {
  if (const Seq* seq = As<Seq>(stmt)) {
    std::vector<Stmt> stmts;
    for (const Stmt& child : seq->stmts) stmts.push_back(Chunk(child, vars, max_tasks, ranges));
    return MakeSeq(std::move(stmts));
  }
  if (const If* branch = As<If>(stmt)) {
    return MakeStmt(If{branch->condition, Chunk(branch->then_stmt, vars, max_tasks, ranges)});
  }
  const Loop* loop = As<Loop>(stmt);
  if (loop == nullptr) return stmt;
  if (loop->kind != LoopKind::kParallel) {
    Loop copy = *loop;
    ranges[loop->var] = LoopRange(*loop, ranges);
    copy.body = Chunk(loop->body, vars, max_tasks, ranges);
    ranges.erase(loop->var);
    return MakeStmt(std::move(copy));
  }
  const int64_t count = BoundsOf(loop->extent, ranges)->max;
  if (count <= max_tasks || !vars.contains(loop->var)) return stmt;
  const int64_t chunk = (count + max_tasks - 1) / max_tasks;
  const Var task = MakeVar(loop->var->name + ".task");
  const Expr done = VarRef(task) * Int(chunk);
  Loop inner = *loop;
  inner.kind = LoopKind::kSerial;
  inner.begin = loop->begin + done;
  inner.extent = Min(Int(chunk), loop->extent - done);
  return MakeStmt(Loop{task, Int(0), FloorDiv(loop->extent + Int(chunk - 1), Int(chunk)), LoopKind::kParallel,
                       MakeStmt(std::move(inner))});
}

}  // namespace

LoopNest FormTasks(const LoopNest& nest, int max_tasks) {
  const LoopNest flat = WithRoots(nest, [](const Stmt& root) { return Serialize(root, false); });
  const VarSet vars = LoopsWithWorkspace(flat);
  if (vars.empty()) return flat;
  return WithRoots(flat, [&](const Stmt& root) {
    VarRanges ranges;
    return Chunk(root, vars, max_tasks, ranges);
  });
}

}  // namespace tunefleet::codegen
