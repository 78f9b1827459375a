// BlockEmitter: the stores of a lowered block, at the frame's current point. Inside a vectorized loop a value is a
// scalar where it is the same in every lane and a vector elsewhere; lanes that a predicate or a Select rules out are
// masked, so that they neither load nor store (a register tile is stored whole, and keeps its values there).
// Floating-point operations carry `contract` and no other fast-math flag.
#ifndef TUNEFLEET_CODEGEN_LLVM_BLOCK_EMITTER_H_
#define TUNEFLEET_CODEGEN_LLVM_BLOCK_EMITTER_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "codegen/ir/loop_nest.h"
#include "codegen/llvm/addressing.h"
#include "codegen/llvm/frame.h"
#include "llvm/IR/Metadata.h"

namespace tunefleet::codegen {

// No two buffers overlap: each has an alias scope of its own.
struct AliasScopes {
  std::vector<llvm::MDNode*> scope;    // per buffer
  std::vector<llvm::MDNode*> noalias;  // per buffer: all the others
  // Per buffer: its vectors may be kept in registers across fences, as this function does not write them.
  std::vector<bool> kept;
};

class BlockEmitter {
 public:
  // Borrows both.
  BlockEmitter(Frame* frame, const AliasScopes* scopes)
      : frame_(*frame), builder_(frame->builder()), scopes_(*scopes) {}

  // Straight-line code begins here, or has ended: what was asked for before is not known to have been.
  void BeginLine() { asked_.clear(); }
  void Emit(const Block& block);
  // A condition or index; scalar.
  llvm::Value* EmitUniform(const Expr& expr);

 private:
  llvm::Value* EmitExpr(const Expr& expr);
  llvm::Value* EmitSelect(const Expr& expr);
  llvm::Value* EmitBranchedSelect(llvm::Value* condition, const Expr& expr);
  llvm::Value* EmitCondition(const Expr& condition);  // one i1 per lane
  llvm::Value* EmitLoad(int buffer, const std::vector<Expr>& indices);
  llvm::Value* EmitLoadAt(int buffer, const std::vector<Expr>& indices, const Address& address, bool safe);
  llvm::Value* EmitVectorLoad(int buffer, const Address& address, llvm::Type* type);
  void EmitPrefetch(int buffer, const std::vector<Expr>& indices, const Address& address);
  void EmitStore(const Store& store);
  void EmitStoreAt(int buffer, const Address& address, llvm::Value* value);

  llvm::Value* Splat(llvm::Value* value);  // to the frame's lanes, when it is not a vector yet
  llvm::Value* LaneIndices();              // <0, 1, 2, ...>
  llvm::Value* LanePointers(int buffer, const Address& address);
  llvm::Value* AllLanes();
  llvm::Instruction* NoAlias(llvm::Instruction* access, int buffer);

  Frame& frame_;
  llvm::IRBuilder<>& builder_;
  const AliasScopes& scopes_;
  llvm::Value* mask_ = nullptr;             // null: every lane is active
  absl::flat_hash_set<std::string> asked_;  // vectors that were prefetched in this straight line, as text
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_BLOCK_EMITTER_H_
