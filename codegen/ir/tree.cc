#include "codegen/ir/tree.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tunefleet::codegen {
namespace {

// Calls `visit` on every statement, parents first, in program order.
template <typename Function>
void VisitStmts(const Stmt& stmt, const Function& visit) {
  if (stmt == nullptr) return;
  visit(stmt);
  if (const Loop* loop = As<Loop>(stmt)) {
    VisitStmts(loop->body, visit);
  } else if (const Seq* seq = As<Seq>(stmt)) {
    for (const Stmt& child : seq->stmts) VisitStmts(child, visit);
  } else if (const If* branch = As<If>(stmt)) {
    VisitStmts(branch->then_stmt, visit);
  }
}

// Appends the path from `stmt` to the first statement that satisfies `is_target`.
template <typename Predicate>
bool FindIn(const Stmt& stmt, const Predicate& is_target, std::vector<Stmt>* path) {
  if (stmt == nullptr) return false;
  path->push_back(stmt);
  if (is_target(stmt)) return true;
  if (const Loop* loop = As<Loop>(stmt)) {
    if (FindIn(loop->body, is_target, path)) return true;
  } else if (const Seq* seq = As<Seq>(stmt)) {
    for (const Stmt& child : seq->stmts) {
      if (FindIn(child, is_target, path)) return true;
    }
  } else if (const If* branch = As<If>(stmt)) {
    if (FindIn(branch->then_stmt, is_target, path)) return true;
  }
  path->pop_back();
  return false;
}

template <typename Predicate>
bool FindInNest(const LoopNest& nest, const Predicate& is_target, Path* path) {
  path->in_prepare = false;
  if (FindIn(nest.run, is_target, &path->stmts)) return true;
  path->in_prepare = true;
  return FindIn(nest.prepare, is_target, &path->stmts);
}

// The statement with one child replaced; null when nothing is left of it.
Stmt ReplaceChild(const Stmt& parent, const Stmt& child, const Stmt& replacement) {
  if (const Seq* seq = As<Seq>(parent)) {
    std::vector<Stmt> stmts = seq->stmts;
    std::replace(stmts.begin(), stmts.end(), child, replacement);
    return MakeSeq(std::move(stmts));
  }
  if (replacement == nullptr) return nullptr;
  if (const Loop* loop = As<Loop>(parent)) {
    Loop copy = *loop;
    copy.body = replacement;
    return MakeStmt(std::move(copy));
  }
  if (const If* branch = As<If>(parent)) return MakeStmt(If{branch->condition, replacement});
  return parent;
}

Expr SubstituteAll(const Expr& expr, const VarMap& map, bool* changed) {
  Expr result = Substitute(expr, map);
  *changed = *changed || result != expr;
  return result;
}

// The statement itself with loop variables replaced, its children untouched.
Stmt SubstituteInStmt(const Stmt& stmt, const VarMap& map) {
  bool changed = false;
  if (const Loop* loop = As<Loop>(stmt)) {
    Loop copy = *loop;
    copy.begin = SubstituteAll(loop->begin, map, &changed);
    copy.extent = SubstituteAll(loop->extent, map, &changed);
    return changed ? MakeStmt(std::move(copy)) : stmt;
  }
  if (const If* branch = As<If>(stmt)) {
    const Expr condition = SubstituteAll(branch->condition, map, &changed);
    return changed ? MakeStmt(If{condition, branch->then_stmt}) : stmt;
  }
  if (const Block* block = As<Block>(stmt)) {
    Block copy = *block;
    for (BlockIter& iter : copy.iters) iter.binding = SubstituteAll(iter.binding, map, &changed);
    for (Expr& conjunct : copy.predicate) conjunct = SubstituteAll(conjunct, map, &changed);
    return changed ? MakeStmt(std::move(copy)) : stmt;
  }
  return stmt;
}

}  // namespace

std::vector<const Loop*> Path::Loops() const {
  std::vector<const Loop*> loops;
  for (const Stmt& stmt : stmts) {
    if (const Loop* loop = As<Loop>(stmt)) loops.push_back(loop);
  }
  return loops;
}

absl::StatusOr<Path> FindLoop(const LoopNest& nest, absl::string_view loop) {
  Path path;
  const auto is_target = [loop](const Stmt& stmt) {
    const Loop* candidate = As<Loop>(stmt);
    return candidate != nullptr && candidate->var->name == loop;
  };
  if (FindInNest(nest, is_target, &path)) return path;
  std::vector<const Loop*> loops = LoopsIn(nest.prepare);
  for (const Loop* candidate : LoopsIn(nest.run)) loops.push_back(candidate);
  return absl::NotFoundError(
      absl::StrCat("no loop '", loop, "'; there are: ", absl::StrJoin(loops, ", ", [](std::string* out, const Loop* l) {
                     out->append(l->var->name);
                   })));
}

absl::StatusOr<Path> FindBlock(const LoopNest& nest, absl::string_view block) {
  Path path;
  const auto is_target = [block](const Stmt& stmt) {
    const Block* candidate = As<Block>(stmt);
    return candidate != nullptr && candidate->name == block;
  };
  if (FindInNest(nest, is_target, &path)) return path;
  std::vector<const Block*> blocks = BlocksIn(nest.prepare);
  for (const Block* candidate : BlocksIn(nest.run)) blocks.push_back(candidate);
  return absl::NotFoundError(absl::StrCat(
      "no block '", block,
      "'; there are: ", absl::StrJoin(blocks, ", ", [](std::string* out, const Block* b) { out->append(b->name); })));
}

LoopNest ReplaceTarget(const LoopNest& nest, const Path& path, const Stmt& replacement) {
  Stmt current = replacement;
  for (size_t i = path.stmts.size() - 1; i > 0; --i) current = ReplaceChild(path.stmts[i - 1], path.stmts[i], current);
  LoopNest result = nest;
  (path.in_prepare ? result.prepare : result.run) = std::move(current);
  return result;
}

std::vector<const Block*> BlocksIn(const Stmt& stmt) {
  std::vector<const Block*> blocks;
  VisitStmts(stmt, [&blocks](const Stmt& s) {
    if (const Block* block = As<Block>(s)) blocks.push_back(block);
  });
  return blocks;
}

std::vector<const Loop*> LoopsIn(const Stmt& stmt) {
  std::vector<const Loop*> loops;
  VisitStmts(stmt, [&loops](const Stmt& s) {
    if (const Loop* loop = As<Loop>(s)) loops.push_back(loop);
  });
  return loops;
}

Stmt RewriteStmts(const Stmt& stmt, absl::FunctionRef<Stmt(const Stmt&)> rewrite) {
  if (stmt == nullptr) return nullptr;
  Stmt current = stmt;
  if (const Seq* seq = As<Seq>(stmt)) {
    std::vector<Stmt> stmts;
    stmts.reserve(seq->stmts.size());
    for (const Stmt& child : seq->stmts) stmts.push_back(RewriteStmts(child, rewrite));
    if (stmts != seq->stmts) current = MakeSeq(std::move(stmts));
  } else if (!std::holds_alternative<Block>(stmt->node)) {
    const Loop* loop = As<Loop>(stmt);
    const Stmt& child = loop != nullptr ? loop->body : As<If>(stmt)->then_stmt;
    const Stmt rewritten = RewriteStmts(child, rewrite);
    if (rewritten != child) current = ReplaceChild(stmt, child, rewritten);
  }
  return current == nullptr ? nullptr : rewrite(current);
}

Stmt SubstituteLoopVars(const Stmt& stmt, const VarMap& map) {
  return RewriteStmts(stmt, [&map](const Stmt& s) { return SubstituteInStmt(s, map); });
}

Block RewriteBlockExprs(Block block, absl::FunctionRef<Expr(const Expr&)> rewrite) {
  const auto rewrite_stores = [&rewrite](std::vector<Store>* stores) {
    for (Store& store : *stores) {
      for (Expr& index : store.indices) index = Rewrite(index, rewrite);
      store.value = Rewrite(store.value, rewrite);
    }
  };
  rewrite_stores(&block.init);
  rewrite_stores(&block.body);
  for (Expr& conjunct : block.guard) conjunct = Rewrite(conjunct, rewrite);
  return block;
}

VarRanges LoopRanges(const std::vector<const Loop*>& loops) {
  VarRanges ranges;
  for (const Loop* loop : loops) {
    const std::optional<Interval> begin = BoundsOf(loop->begin, ranges);
    const std::optional<Interval> last = BoundsOf(loop->begin + loop->extent - Int(1), ranges);
    if (begin && last) ranges[loop->var] = {begin->min, std::max(begin->min, last->max)};
  }
  return ranges;
}

VarRanges IterRanges(const Block& block, const VarRanges& loop_ranges) {
  VarRanges ranges;
  for (const BlockIter& iter : block.iters) {
    Interval range{0, iter.extent - 1};
    if (const std::optional<Interval> bounds = BoundsOf(iter.binding, loop_ranges)) {
      const Interval narrowed{std::max(range.min, bounds->min), std::min(range.max, bounds->max)};
      if (narrowed.min <= narrowed.max) range = narrowed;
    }
    ranges[iter.var] = range;
  }
  return ranges;
}

VarMap BindingsOf(const Block& block) {
  VarMap map;
  for (const BlockIter& iter : block.iters) map[iter.var] = iter.binding;
  return map;
}

absl::Status CheckNewName(const LoopNest& nest, absl::string_view name) {
  const auto is_allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
  };
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_allowed)) {
    return absl::InvalidArgumentError(absl::StrCat("name '", name, "': expected letters, digits, '_' and '.'"));
  }
  const auto taken = [name](absl::string_view kind) {
    return absl::AlreadyExistsError(absl::StrCat("name '", name, "': a ", kind, " has it"));
  };
  for (const Buffer& buffer : nest.buffers) {
    if (buffer.name == name) return taken("buffer");
  }
  for (const Stmt& root : {nest.prepare, nest.run}) {
    for (const Loop* loop : LoopsIn(root)) {
      if (loop->var->name == name) return taken("loop");
    }
    for (const Block* block : BlocksIn(root)) {
      if (block->name == name) return taken("block");
    }
  }
  return absl::OkStatus();
}

}  // namespace tunefleet::codegen
