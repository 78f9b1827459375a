#include "codegen/primitives/compute_inline.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/independence.h"
#include "codegen/primitives/placement.h"
#include "codegen/primitives/sites.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

absl::Status RefuseBlock(const Block& block, absl::string_view why) {
  return Refuse(absl::StrCat("block '", block.name, "': ", why));
}

// One assignment to every element of a temporary, at the plain iterators. Errors: FAILED_PRECONDITION.
absl::Status CheckShape(const LoopNest& nest, const Path& path) {
  const Block& block = *As<Block>(path.target());
  if (IsReduction(block) || !block.init.empty()) return RefuseBlock(block, "it is a reduction, expected a plain value");
  if (block.body.size() != 1 || block.body[0].op != StoreOp::kAssign || !block.guard.empty()) {
    return RefuseBlock(block, "expected one unconditional assignment");
  }
  const Store& store = block.body[0];
  const Buffer& buffer = nest.buffers[store.buffer];
  if (buffer.role != Role::kTemporary) {
    return RefuseBlock(block, absl::StrCat("it writes buffer '", buffer.name, "', expected a temporary"));
  }
  if (LoadsWhatItWrites(block)) return RefuseBlock(block, "it reads the buffer that it writes");
  for (const Block* other : WritersOf(nest, store.buffer)) {
    if (other == &block) continue;
    return RefuseBlock(block, absl::StrCat("block '", other->name, "' also writes buffer '", buffer.name,
                                           "', expected a single writer"));
  }
  for (const BlockIter& iter : block.iters) {
    const auto uses = std::count_if(store.indices.begin(), store.indices.end(),
                                    [&iter](const Expr& index) { return StructurallyEqual(index, VarRef(iter.var)); });
    const bool elsewhere = std::any_of(store.indices.begin(), store.indices.end(), [&iter](const Expr& index) {
      return UsesVar(index, iter.var) && !StructurallyEqual(index, VarRef(iter.var));
    });
    if (elsewhere || uses > 1 || (uses == 0 && iter.extent != 1)) {
      return RefuseBlock(block, absl::StrCat("iterator ", iter.var->name,
                                             " is not one index of its store; expected each to be exactly that"));
    }
  }
  for (size_t d = 0; d < store.indices.size(); ++d) {
    int64_t written = 1;
    for (const BlockIter& iter : block.iters) {
      if (UsesVar(store.indices[d], iter.var)) written = iter.extent;
    }
    if (written == buffer.shape[d]) continue;
    return RefuseBlock(block, absl::StrCat("it writes ", written, " elements along dimension ", d, " of buffer '",
                                           buffer.name, "', expected all ", buffer.shape[d]));
  }
  return ExecutionOf(block, {}, path.Loops()).status();
}

// What the block reads must hold the same values where its own value is read. Errors: FAILED_PRECONDITION.
absl::Status CheckInputs(const LoopNest& nest, const Path& path) {
  const Block& block = *As<Block>(path.target());
  const int buffer = block.body[0].buffer;
  // The innermost sequence that holds all uses of scratch: values live within it. Other values live on, so that nothing
  // but the root will do.
  size_t scope = 0;
  if (IsScratch(nest.buffers[buffer])) {
    const size_t uses = UsersOf(nest, buffer).size();
    for (size_t i = 0; i < path.stmts.size(); ++i) {
      const std::vector<const Block*> blocks = BlocksIn(path.stmts[i]);
      const auto inside = std::count_if(blocks.begin(), blocks.end(), [buffer](const Block* other) {
        return Reads(*other, buffer) || Writes(*other, buffer);
      });
      if (static_cast<size_t>(inside) == uses) scope = i;
    }
  }
  const Seq* seq = As<Seq>(path.stmts[scope]);
  if (seq == nullptr) {
    return RefuseBlock(block, absl::StrCat("buffer '", nest.buffers[buffer].name,
                                           "' keeps its values from one iteration of a loop to the next"));
  }
  const auto own = std::find(seq->stmts.begin(), seq->stmts.end(), path.stmts[scope + 1]);
  for (auto stmt = own; stmt != seq->stmts.end(); ++stmt) {
    for (const Block* other : BlocksIn(*stmt)) {
      for (const BufferRegion& region : other->writes) {
        if (other == &block || !Reads(block, region.buffer)) continue;
        return RefuseBlock(block,
                           absl::StrCat("block '", other->name, "' writes buffer '", nest.buffers[region.buffer].name,
                                        "', which it reads, beside it or after it"));
      }
    }
  }
  return absl::OkStatus();
}

// The reader with loads of the buffer replaced by the producer's value.
Block Inlined(const LoopNest& nest, const Block& reader, const Block& producer) {
  const Store& store = producer.body[0];
  Block block = RewriteBlockExprs(reader, [&](const Expr& expr) {
    if (expr->kind != ExprKind::kLoad || expr->buffer != store.buffer) return expr;
    VarMap map;
    for (const BlockIter& iter : producer.iters) map[iter.var] = Int(0);
    for (size_t d = 0; d < store.indices.size(); ++d) {
      if (store.indices[d]->kind == ExprKind::kVar) map[store.indices[d]->var] = expr->operands[d];
    }
    return Substitute(store.value, map);
  });
  return WithInferredRegions(nest, std::move(block));
}

}  // namespace

absl::StatusOr<LoopNest> ComputeInline(const LoopNest& nest, absl::string_view block) {
  TF_ASSIGN_OR_RETURN(const Path path, FindBlock(nest, block));
  const Block& producer = *As<Block>(path.target());
  TF_RETURN_IF_ERROR(CheckShape(nest, path));
  const int buffer = producer.body[0].buffer;
  std::vector<std::string> readers;
  for (const Block* user : UsersOf(nest, buffer)) {
    if (user != &producer) readers.push_back(user->name);
  }
  if (readers.empty()) return RefuseBlock(producer, "no reader of its buffer, expected one after it");
  TF_RETURN_IF_ERROR(CheckInputs(nest, path));

  LoopNest result = ReplaceTarget(nest, path, nullptr);
  for (const std::string& name : readers) {
    TF_ASSIGN_OR_RETURN(const Path reader, FindBlock(result, name));
    result = ReplaceTarget(result, reader, MakeStmt(Inlined(result, *As<Block>(reader.target()), producer)));
  }
  for (const std::string& name : readers) {
    TF_ASSIGN_OR_RETURN(const Path reader, FindBlock(result, name));
    TF_RETURN_IF_ERROR(CheckConcurrentLoops(result, reader));
  }
  return result;
}

}  // namespace tunefleet::codegen
