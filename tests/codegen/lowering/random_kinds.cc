#include "tests/codegen/lowering/random_kinds.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"

namespace tunefleet::codegen {
namespace {

LoopNest ReplaceLoop(const LoopNest& nest, absl::string_view name, const Stmt& replacement) {
  return ReplaceTarget(nest, FindLoop(nest, name).value(), replacement);
}

// Loops whose iterations no block of theirs accumulates over.
bool IsSpatial(const Loop& loop) {
  for (const Block* block : BlocksIn(loop.body)) {
    for (const BlockIter& iter : block->iters) {
      if (iter.kind != IterKind::kSpatial && UsesVar(iter.binding, loop.var)) return false;
    }
  }
  return true;
}

std::vector<std::string> LoopNames(const LoopNest& nest) {
  std::vector<std::string> names;
  for (const Stmt& root : {nest.prepare, nest.run}) {
    if (root == nullptr) continue;
    for (const Loop* loop : LoopsIn(root)) names.push_back(loop->var->name);
  }
  return names;
}

}  // namespace

LoopNest SplitLoop(const LoopNest& nest, absl::string_view name, int64_t factor) {
  const Path path = FindLoop(nest, name).value();
  const Loop& loop = *As<Loop>(path.target());
  const int64_t extent = ConstantInt(loop.extent).value();
  const Var outer = MakeVar(absl::StrCat(name, ".o"));
  const Var inner = MakeVar(absl::StrCat(name, ".i"));
  const Expr position = VarRef(outer) * Int(factor) + VarRef(inner);
  Stmt body = loop.body;
  if (extent % factor != 0) {
    body = RewriteStmts(body, [&](const Stmt& stmt) -> Stmt {
      const Block* block = As<Block>(stmt);
      if (block == nullptr) return stmt;
      Block copy = *block;
      copy.predicate.push_back(Less(position, Int(extent)));
      return MakeStmt(std::move(copy));
    });
  }
  body = SubstituteLoopVars(body, {{loop.var, loop.begin + position}});
  body = MakeStmt(Loop{inner, Int(0), Int(factor), LoopKind::kSerial, body});
  const int64_t steps = (extent + factor - 1) / factor;
  return ReplaceTarget(nest, path, MakeStmt(Loop{outer, Int(0), Int(steps), LoopKind::kSerial, body}));
}

LoopNest WithKind(const LoopNest& nest, absl::string_view name, LoopKind kind) {
  Loop loop = *As<Loop>(FindLoop(nest, name).value().target());
  loop.kind = kind;
  return ReplaceLoop(nest, name, MakeStmt(std::move(loop)));
}

LoopNest WithRandomSchedule(LoopNest nest, absl::BitGenRef random) {
  for (const std::string& name : LoopNames(nest)) {
    if (absl::Bernoulli(random, 0.3)) nest = SplitLoop(nest, name, absl::Uniform<int64_t>(random, 1, 6));
  }
  for (const std::string& name : LoopNames(nest)) {
    const Loop loop = *As<Loop>(FindLoop(nest, name).value().target());
    const bool innermost = LoopsIn(loop.body).empty();
    if (innermost && absl::Bernoulli(random, 0.6)) {
      nest = WithKind(nest, name, LoopKind::kVectorized);
    } else if (IsSpatial(loop) && absl::Bernoulli(random, 0.25)) {
      nest = WithKind(nest, name, LoopKind::kParallel);
    } else if (absl::Bernoulli(random, 0.3)) {
      nest = WithKind(nest, name, LoopKind::kUnrolled);
    }
  }
  for (Buffer& buffer : nest.buffers) {
    if (buffer.role == Role::kTemporary && absl::Bernoulli(random, 0.5)) buffer.scope = Scope::kLocal;
    if (buffer.role == Role::kTemporary && absl::Bernoulli(random, 0.2)) buffer.row_padding = 3;
  }
  return nest;
}

}  // namespace tunefleet::codegen
