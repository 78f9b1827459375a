#include "codegen/lowering/hoist_conditions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "codegen/lowering/rewrite.h"

namespace tunefleet::codegen {
namespace {

// A statement under a conjunction that has found no place yet.
struct Conditional {
  std::vector<Expr> conjuncts;
  Stmt stmt;
};

bool Contains(const std::vector<Expr>& conjuncts, const Expr& expr) {
  return std::any_of(conjuncts.begin(), conjuncts.end(),
                     [&](const Expr& other) { return StructurallyEqual(other, expr); });
}

Stmt Place(std::vector<Expr> conjuncts, Stmt stmt) {
  for (size_t i = conjuncts.size(); i-- > 0;) stmt = MakeStmt(If{std::move(conjuncts[i]), std::move(stmt)});
  return stmt;
}

std::vector<Expr> Common(const std::vector<Expr>& a, const std::vector<Expr>& b) {
  std::vector<Expr> common;
  std::copy_if(a.begin(), a.end(), std::back_inserter(common), [&](const Expr& e) { return Contains(b, e); });
  return common;
}

// Neighbours that share conjuncts share the If.
Conditional Join(std::vector<Conditional> parts) {
  std::vector<Stmt> stmts;
  std::vector<Expr> shared_by_all = parts[0].conjuncts;
  for (const Conditional& part : parts) shared_by_all = Common(shared_by_all, part.conjuncts);
  for (Conditional& part : parts) {
    std::erase_if(part.conjuncts, [&](const Expr& e) { return Contains(shared_by_all, e); });
  }
  for (size_t i = 0; i < parts.size();) {
    size_t end = i + 1;
    std::vector<Expr> shared = parts[i].conjuncts;
    while (!shared.empty() && end < parts.size()) {
      std::vector<Expr> next = Common(shared, parts[end].conjuncts);
      if (next.empty()) break;
      shared = std::move(next);
      ++end;
    }
    if (end == i + 1) {
      stmts.push_back(Place(std::move(parts[i].conjuncts), std::move(parts[i].stmt)));
    } else {
      Conditional group = Join({std::make_move_iterator(parts.begin() + static_cast<std::ptrdiff_t>(i)),
                                std::make_move_iterator(parts.begin() + static_cast<std::ptrdiff_t>(end))});
      stmts.push_back(Place(std::move(group.conjuncts), std::move(group.stmt)));
    }
    i = end;
  }
  return {std::move(shared_by_all), MakeSeq(std::move(stmts))};
}

Conditional Hoist(const Stmt& stmt, const Var& lane) {
  if (const Block* block = As<Block>(stmt)) {
    Block copy = *block;
    std::vector<Expr> conjuncts;
    std::erase_if(copy.predicate, [&](const Expr& condition) {
      if (lane != nullptr && UsesVar(condition, lane)) return false;
      conjuncts.push_back(condition);
      return true;
    });
    return {std::move(conjuncts), MakeStmt(std::move(copy))};
  }
  if (const Seq* seq = As<Seq>(stmt)) {
    std::vector<Conditional> parts;
    for (const Stmt& child : seq->stmts) parts.push_back(Hoist(child, lane));
    return Join(std::move(parts));
  }
  if (const If* branch = As<If>(stmt)) {
    Conditional inner = Hoist(branch->then_stmt, lane);
    if (!Contains(inner.conjuncts, branch->condition)) {
      inner.conjuncts.insert(inner.conjuncts.begin(), branch->condition);
    }
    return inner;
  }
  Loop loop = *As<Loop>(stmt);
  Conditional body = Hoist(loop.body, loop.kind == LoopKind::kVectorized ? loop.var : lane);
  std::vector<Expr> stay;
  std::erase_if(body.conjuncts, [&](const Expr& condition) {
    if (!UsesVar(condition, loop.var)) return false;
    stay.push_back(condition);
    return true;
  });
  loop.body = Place(std::move(stay), std::move(body.stmt));
  return {std::move(body.conjuncts), MakeStmt(std::move(loop))};
}

}  // namespace

LoopNest HoistConditions(const LoopNest& nest) {
  return WithRoots(nest, [](const Stmt& root) {
    Conditional hoisted = Hoist(root, nullptr);
    return Place(std::move(hoisted.conjuncts), std::move(hoisted.stmt));
  });
}

}  // namespace tunefleet::codegen
