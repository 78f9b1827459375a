#include "tests/codegen/interpreter/program.h"

#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace tunefleet::codegen {
namespace {

class Compiler {
 public:
  explicit Compiler(const LoopNest& nest) : nest_(nest) {}

  Step Statement(const Stmt& stmt) {
    Step step;
    if (const Loop* loop = As<Loop>(stmt)) {
      step.loop = loop;
      step.begin = Expression(loop->begin);
      step.extent = Expression(loop->extent);
      step.slot = SlotOf(loop->var);
      if (!scope_.insert(loop->var).second) Fail(absl::StrCat("loop ", loop->var->name, " inside itself"));
      step.children.push_back(Statement(loop->body));
      scope_.erase(loop->var);
    } else if (const If* branch = As<If>(stmt)) {
      step.branch = branch;
      step.begin = Expression(branch->condition);
      step.children.push_back(Statement(branch->then_stmt));
    } else if (const Seq* seq = As<Seq>(stmt)) {
      for (const Stmt& child : seq->stmts) step.children.push_back(Statement(child));
    } else if (const Block* block = As<Block>(stmt)) {
      step.block = CompileBlock(*block);
    } else {
      Fail("a statement is missing");
    }
    return step;
  }

  // Temporaries used in the step; those used nowhere else in one child only are left to that child.
  std::set<int> PlaceTemporaries(Step* step) const {
    std::set<int> used = step->block != nullptr ? UsedBy(*step->block) : std::set<int>();
    std::map<int, std::vector<Step*>> users;
    for (Step& child : step->children) {
      for (const int buffer : PlaceTemporaries(&child)) {
        users[buffer].push_back(&child);
        used.insert(buffer);
      }
    }
    for (const auto& [buffer, children] : users) {
      if (children.size() < 2) continue;
      for (Step* child : children) Forget(buffer, child);
    }
    for (const int buffer : used) {
      const auto found = users.find(buffer);
      if (found == users.end() || found->second.size() > 1) step->undefines.push_back(buffer);
    }
    return used;
  }

  int num_slots() const { return static_cast<int>(slots_.size()); }
  const absl::Status& status() const { return status_; }

 private:
  static void Forget(int buffer, Step* step) {
    std::erase(step->undefines, buffer);
    for (Step& child : step->children) Forget(buffer, &child);
  }

  void Fail(absl::string_view message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(message);
  }

  int SlotOf(const Var& var) { return slots_.try_emplace(var, static_cast<int>(slots_.size())).first->second; }

  Code Expression(const Expr& expr) {
    Code code{*expr};
    code.node.operands.clear();
    if (expr->kind == ExprKind::kVar) {
      if (!scope_.contains(expr->var)) Fail(absl::StrCat("variable ", expr->var->name, " is out of scope"));
      code.slot = SlotOf(expr->var);
    }
    if (expr->kind == ExprKind::kLoad) CheckRank(expr->buffer, expr->operands.size());
    for (const Expr& operand : expr->operands) code.operands.push_back(Expression(operand));
    return code;
  }

  std::vector<Code> Expressions(const std::vector<Expr>& exprs) {
    std::vector<Code> codes;
    for (const Expr& expr : exprs) codes.push_back(Expression(expr));
    return codes;
  }

  void CheckRank(int buffer, size_t rank) {
    if (buffer < 0 || buffer >= static_cast<int>(nest_.buffers.size())) {
      Fail(absl::StrCat("no buffer number ", buffer));
    } else if (nest_.buffers[buffer].shape.size() != rank) {
      Fail(absl::StrCat(rank, " indices for buffer ", nest_.buffers[buffer].name));
    }
  }

  std::vector<StoreCode> Stores(const std::vector<Store>& stores) {
    std::vector<StoreCode> codes;
    for (const Store& store : stores) {
      CheckRank(store.buffer, store.indices.size());
      codes.push_back({store.buffer, Expressions(store.indices), store.op, Expression(store.value)});
    }
    return codes;
  }

  std::map<int, RegionCode> Regions(const std::vector<BufferRegion>& regions) {
    std::map<int, RegionCode> codes;
    for (const BufferRegion& region : regions) {
      CheckRank(region.buffer, region.ranges.size());
      RegionCode& code = codes[region.buffer];
      for (const Range& range : region.ranges) {
        code.begins.push_back(Expression(range.begin));
        code.extents.push_back(range.extent);
      }
    }
    return codes;
  }

  std::unique_ptr<BlockCode> CompileBlock(const Block& block) {
    auto code = std::make_unique<BlockCode>();
    code->block = &block;
    code->predicate = Expressions(block.predicate);
    for (const BlockIter& iter : block.iters) code->bindings.push_back(Expression(iter.binding));
    // The rest sees iterators only; a lowered block has none and sees the loops.
    absl::flat_hash_set<Var> loops;
    if (!block.iters.empty()) std::swap(loops, scope_);
    for (const BlockIter& iter : block.iters) {
      code->slots.push_back(SlotOf(iter.var));
      scope_.insert(iter.var);
    }
    code->guard = Expressions(block.guard);
    code->declares_regions = !block.reads.empty() || !block.writes.empty();
    code->reads = Regions(block.reads);
    code->writes = Regions(block.writes);
    code->init = Stores(block.init);
    code->body = Stores(block.body);
    if (!block.iters.empty()) std::swap(loops, scope_);
    return code;
  }

  void CollectLoads(const Code& code, std::set<int>* used) const {
    if (code.node.kind == ExprKind::kLoad) AddTemporary(code.node.buffer, used);
    for (const Code& operand : code.operands) CollectLoads(operand, used);
  }

  void AddTemporary(int buffer, std::set<int>* used) const {
    if (nest_.buffers[buffer].role == Role::kTemporary) used->insert(buffer);
  }

  std::set<int> UsedBy(const BlockCode& block) const {
    std::set<int> used;
    for (const std::vector<StoreCode>* stores : {&block.init, &block.body}) {
      for (const StoreCode& store : *stores) {
        AddTemporary(store.buffer, &used);
        CollectLoads(store.value, &used);
        for (const Code& index : store.indices) CollectLoads(index, &used);
      }
    }
    return used;
  }

  const LoopNest& nest_;
  absl::flat_hash_map<Var, int> slots_;
  absl::flat_hash_set<Var> scope_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<Program> Compile(const LoopNest& nest) {
  Program program;
  Compiler compiler(nest);
  if (nest.prepare != nullptr) {
    program.prepare = compiler.Statement(nest.prepare);
    program.has_prepare = true;
  }
  program.run = compiler.Statement(nest.run);
  if (!compiler.status().ok()) return compiler.status();
  if (program.has_prepare) compiler.PlaceTemporaries(&program.prepare);
  compiler.PlaceTemporaries(&program.run);
  program.num_slots = compiler.num_slots();
  return program;
}

}  // namespace tunefleet::codegen
