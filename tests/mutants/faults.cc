#include "tests/mutants/faults.h"

#include <utility>
#include <vector>

#include "absl/random/distributions.h"
#include "absl/strings/str_cat.h"

namespace tunefleet::codegen {
namespace {

template <typename T>
const T& Pick(const std::vector<T>& values, absl::BitGenRef random) {
  return values[absl::Uniform<size_t>(random, 0, values.size())];
}

Expr OneOff(const Expr& expr, absl::BitGenRef random) { return expr + Int(absl::Bernoulli(random, 0.5) ? 1 : -1); }

// The nodes of the stores' values, or with `indices` of all their indices too, that satisfy the condition.
template <typename Condition>
std::vector<Expr> Nodes(const Block& block, const Condition& condition) {
  std::vector<Expr> found;
  const auto look = [&](const Expr& expr) {
    Visit(expr, [&](const Expr& node) {
      if (condition(node)) found.push_back(node);
    });
  };
  for (const Store& store : block.body) {
    look(store.value);
    for (const Expr& index : store.indices) look(index);
  }
  return found;
}

bool IsLoad(const Expr& node) { return node->kind == ExprKind::kLoad; }

// The block with one node of its stores replaced, wherever it is shared.
Stmt WithNode(const Block& block, const Expr& from, const Expr& to) {
  return MakeStmt(RewriteBlockExprs(block, [&](const Expr& expr) {
    return Rewrite(expr, [&](const Expr& node) { return node == from ? to : node; });
  }));
}

std::optional<Stmt> WithStoreOp(const Place& place, StoreOp from, StoreOp to, absl::BitGenRef random) {
  const Block* block = As<Block>(place.target());
  if (block == nullptr) return std::nullopt;
  Block copy = *block;
  Store& store = copy.body[absl::Uniform<size_t>(random, 0, copy.body.size())];
  if (store.op != from) return std::nullopt;
  store.op = to;
  return MakeStmt(std::move(copy));
}

// The block where only the iterations run for which `condition` of a loop around it holds.
template <typename Condition>
std::optional<Stmt> Where(const Place& place, const Condition& condition, absl::BitGenRef random) {
  const Block* block = As<Block>(place.target());
  const std::vector<const Loop*> loops = place.path->Loops();
  if (block == nullptr || loops.empty()) return std::nullopt;
  Block copy = *block;
  copy.predicate.push_back(condition(*Pick(loops, random)));
  return MakeStmt(std::move(copy));
}

std::optional<Stmt> WithBounds(const Place& place, int64_t begin, int64_t extent) {
  const Loop* loop = As<Loop>(place.target());
  if (loop == nullptr || !ConstantInt(loop->extent).has_value() || *ConstantInt(loop->extent) + extent < 1) {
    return std::nullopt;
  }
  if (begin != 0 && loop->kind == LoopKind::kVectorized) return std::nullopt;  // these start at 0 (lower.h)
  Loop copy = *loop;
  copy.begin = loop->begin + Int(begin);
  copy.extent = loop->extent + Int(extent);
  return MakeStmt(std::move(copy));
}

// A comparison somewhere in the condition, moved by one.
std::optional<Expr> Moved(const Expr& condition, absl::BitGenRef random) {
  std::vector<Expr> comparisons;
  Visit(condition, [&](const Expr& node) {
    const bool compares =
        node->kind == ExprKind::kBinary &&
        (node->op == BinaryOp::kLess || node->op == BinaryOp::kLessEqual || node->op == BinaryOp::kEqual);
    if (compares && node->operands[0]->type == ScalarType::kIndex) comparisons.push_back(node);
  });
  if (comparisons.empty()) return std::nullopt;
  const Expr from = Pick(comparisons, random);
  const Expr to = Binary(from->op, from->operands[0], OneOff(from->operands[1], random));
  return Rewrite(condition, [&](const Expr& node) { return node == from ? to : node; });
}

}  // namespace

std::optional<Stmt> EndEarly(const Place& place, absl::BitGenRef) { return WithBounds(place, 0, -1); }
std::optional<Stmt> StartLate(const Place& place, absl::BitGenRef) { return WithBounds(place, 1, -1); }
std::optional<Stmt> EndLate(const Place& place, absl::BitGenRef) { return WithBounds(place, 0, 1); }

std::optional<Stmt> LeaveOut(const Place& place, absl::BitGenRef) {
  if (As<Block>(place.target()) == nullptr) return std::nullopt;
  return Stmt();
}

std::optional<Stmt> RunTwice(const Place& place, absl::BitGenRef) {
  const Block* block = As<Block>(place.target());
  if (block == nullptr) return std::nullopt;
  Block again = *block;
  again.name += ".again";
  return MakeSeq({place.target(), MakeStmt(std::move(again))});
}

std::optional<Stmt> AssignmentAdds(const Place& place, absl::BitGenRef random) {
  return WithStoreOp(place, StoreOp::kAssign, StoreOp::kAdd, random);
}

std::optional<Stmt> AdditionAssigns(const Place& place, absl::BitGenRef random) {
  return WithStoreOp(place, StoreOp::kAdd, StoreOp::kAssign, random);
}

std::optional<Stmt> ExchangeIndices(const Place& place, absl::BitGenRef random) {
  const Block* block = As<Block>(place.target());
  if (block == nullptr) return std::nullopt;
  const std::vector<Expr> loads =
      Nodes(*block, [](const Expr& node) { return IsLoad(node) && node->operands.size() > 1; });
  if (loads.empty()) return std::nullopt;
  const Expr load = Pick(loads, random);
  std::vector<Expr> indices = load->operands;
  const size_t first = absl::Uniform<size_t>(random, 0, indices.size() - 1);
  std::swap(indices[first], indices[absl::Uniform<size_t>(random, first + 1, indices.size())]);
  return WithNode(*block, load, Load(load->buffer, load->type, std::move(indices)));
}

std::optional<Stmt> ExchangeOperands(const Place& place, absl::BitGenRef random) {
  const Block* block = As<Block>(place.target());
  if (block == nullptr) return std::nullopt;
  const std::vector<Expr> loads = Nodes(*block, IsLoad);
  for (const Expr& first : loads) {
    for (const Expr& second : loads) {
      // Each reads from the other's buffer, as far as the ranks go together.
      if (first->buffer == second->buffer || first->type != second->type) continue;
      const Expr& changed = absl::Bernoulli(random, 0.5) ? first : second;
      const Expr& other = changed == first ? second : first;
      std::vector<Expr> indices = changed->operands;
      indices.resize(other->operands.size(), Int(0));
      return WithNode(*block, changed, Load(other->buffer, other->type, std::move(indices)));
    }
  }
  return std::nullopt;
}

std::optional<Stmt> ShiftLoad(const Place& place, absl::BitGenRef random) {
  const Block* block = As<Block>(place.target());
  if (block == nullptr) return std::nullopt;
  const std::vector<Expr> loads = Nodes(*block, IsLoad);
  if (loads.empty()) return std::nullopt;
  const Expr load = Pick(loads, random);
  std::vector<Expr> indices = load->operands;
  Expr& index = indices[absl::Uniform<size_t>(random, 0, indices.size())];
  index = OneOff(index, random);
  return WithNode(*block, load, Load(load->buffer, load->type, std::move(indices)));
}

std::optional<Stmt> ShiftStore(const Place& place, absl::BitGenRef random) {
  const Block* block = As<Block>(place.target());
  if (block == nullptr) return std::nullopt;
  Block copy = *block;
  Store& store = copy.body[absl::Uniform<size_t>(random, 0, copy.body.size())];
  Expr& index = store.indices[absl::Uniform<size_t>(random, 0, store.indices.size())];
  index = OneOff(index, random);
  return MakeStmt(std::move(copy));
}

std::optional<Stmt> ChangeStride(const Place& place, absl::BitGenRef random) {
  const Block* block = As<Block>(place.target());
  if (block == nullptr) return std::nullopt;
  const std::vector<Expr> products = Nodes(*block, [](const Expr& node) {
    return node->kind == ExprKind::kBinary && node->op == BinaryOp::kMul && node->type == ScalarType::kIndex &&
           ConstantInt(node->operands[1]).has_value();
  });
  if (products.empty()) return std::nullopt;
  const Expr product = Pick(products, random);
  return WithNode(*block, product, product->operands[0] * OneOff(product->operands[1], random));
}

std::optional<Stmt> FreezeIndex(const Place& place, absl::BitGenRef random) {
  const Block* block = As<Block>(place.target());
  if (block == nullptr) return std::nullopt;
  const std::vector<Expr> uses = Nodes(*block, [](const Expr& node) { return node->kind == ExprKind::kVar; });
  if (uses.empty()) return std::nullopt;
  const Expr use = Pick(uses, random);
  for (const Loop* loop : place.path->Loops()) {
    if (loop->var == use->var) return WithNode(*block, use, loop->begin);
  }
  return std::nullopt;
}

std::optional<Stmt> ConfuseIndices(const Place& place, absl::BitGenRef random) {
  const Block* block = As<Block>(place.target());
  const std::vector<const Loop*> loops = place.path->Loops();
  if (block == nullptr || loops.size() < 2) return std::nullopt;
  const std::vector<Expr> uses = Nodes(*block, [](const Expr& node) { return node->kind == ExprKind::kVar; });
  if (uses.empty()) return std::nullopt;
  const Expr use = Pick(uses, random);
  const Loop* other = Pick(loops, random);
  if (other->var == use->var) return std::nullopt;
  return WithNode(*block, use, VarRef(other->var));
}

std::optional<Stmt> FirstIterationOnly(const Place& place, absl::BitGenRef random) {
  return Where(
      place, [](const Loop& loop) { return LessEqual(VarRef(loop.var), loop.begin); }, random);
}

std::optional<Stmt> LeaveOutLastIteration(const Place& place, absl::BitGenRef random) {
  return Where(
      place, [](const Loop& loop) { return Less(VarRef(loop.var), loop.begin + loop.extent + Int(-1)); }, random);
}

std::optional<Stmt> LeaveOutInstance(const Place& place, absl::BitGenRef random) {
  const Block* block = As<Block>(place.target());
  const std::vector<const Loop*> loops = place.path->Loops();
  if (block == nullptr || loops.empty()) return std::nullopt;
  Expr other_instance = Bool(false);
  for (const Loop* loop : loops) {
    const std::optional<int64_t> extent = ConstantInt(loop->extent);
    if (!extent.has_value()) return std::nullopt;
    const Expr var = VarRef(loop->var);
    const Expr skipped = loop->begin + Int(absl::Uniform<int64_t>(random, 0, *extent));
    other_instance =
        Binary(BinaryOp::kOr, other_instance, Binary(BinaryOp::kOr, Less(var, skipped), Less(skipped, var)));
  }
  Block copy = *block;
  copy.predicate.push_back(other_instance);
  return MakeStmt(std::move(copy));
}

std::optional<Stmt> DropCondition(const Place& place, absl::BitGenRef random) {
  if (const If* branch = As<If>(place.target())) return branch->then_stmt;
  const Block* block = As<Block>(place.target());
  if (block == nullptr || block->predicate.empty()) return std::nullopt;
  Block copy = *block;
  copy.predicate.erase(copy.predicate.begin() +
                       static_cast<ptrdiff_t>(absl::Uniform<size_t>(random, 0, copy.predicate.size())));
  return MakeStmt(std::move(copy));
}

std::optional<Stmt> MoveBound(const Place& place, absl::BitGenRef random) {
  if (const If* branch = As<If>(place.target())) {
    const std::optional<Expr> moved = Moved(branch->condition, random);
    if (!moved.has_value()) return std::nullopt;
    return MakeStmt(If{*moved, branch->then_stmt});
  }
  const Block* block = As<Block>(place.target());
  if (block == nullptr || block->predicate.empty()) return std::nullopt;
  Block copy = *block;
  Expr& conjunct = copy.predicate[absl::Uniform<size_t>(random, 0, copy.predicate.size())];
  const std::optional<Expr> moved = Moved(conjunct, random);
  if (!moved.has_value()) return std::nullopt;
  conjunct = *moved;
  return MakeStmt(std::move(copy));
}

std::optional<Stmt> ExchangeStatements(const Place& place, absl::BitGenRef random) {
  const Seq* seq = As<Seq>(place.target());
  if (seq == nullptr) return std::nullopt;
  std::vector<Stmt> stmts = seq->stmts;
  const size_t first = absl::Uniform<size_t>(random, 0, stmts.size() - 1);
  std::swap(stmts[first], stmts[first + 1]);
  return MakeSeq(std::move(stmts));
}

}  // namespace tunefleet::codegen
