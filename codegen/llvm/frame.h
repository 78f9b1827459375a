// Frame: what the emitter knows inside one LLVM function: loop variables and their values, base pointers of buffers,
// and for every loop around the current point a head block where values that depend on nothing further in are computed.
//
//   entry:  base pointers, index values without variables                         scope 0
//     head: phi of the loop variable, index values and addresses that need it     scope 1, 2, ...
//
// Each value is emitted once, at the outermost scope that has its variables, so that an unrolled tile shares its base
// pointers and keeps constant displacements, whatever passes run afterwards. Not thread-safe.
#ifndef TUNEFLEET_CODEGEN_LLVM_FRAME_H_
#define TUNEFLEET_CODEGEN_LLVM_FRAME_H_

#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "codegen/ir/interval.h"
#include "codegen/lowering/lower.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

namespace tunefleet::codegen {

// The arguments that an entry point and the tasks of its parallel loops share.
struct FrameArguments {
  llvm::Value* buffers = nullptr;    // void* const*
  llvm::Value* workspace = nullptr;  // 64-byte aligned
  llvm::Value* runtime = nullptr;    // tf_runtime*; null inside a task
  llvm::Value* task = nullptr;       // index of the task; null outside
};

class Frame {
 public:
  // `function` is empty; the builder is left where the body goes. Borrows `lowered` and `function`.
  Frame(const LoweredNest& lowered, llvm::Function* function, llvm::IRBuilder<>* builder);
  void SetArguments(const FrameArguments& arguments) { arguments_ = arguments; }

  llvm::IRBuilder<>& builder() { return *builder_; }
  llvm::Function* function() { return function_; }
  const FrameArguments& arguments() const { return arguments_; }
  const LoweredNest& lowered() const { return lowered_; }
  const VarRanges& ranges() const { return ranges_; }
  const std::vector<std::pair<Var, llvm::Value*>>& variables() const { return variables_; }

  // A loop's scope: `head` dominates everything emitted before the matching Leave and ends in a branch.
  void Enter(llvm::BasicBlock* head, const Var& var, llvm::Value* value, Interval range);
  void Leave();

  // A variable of scope 0 (an outer loop's variable inside a task).
  void DefineOuter(const Var& var, llvm::Value* value, Interval range);

  // The loop variable of a vectorized loop: no value, but a range. One at a time.
  void EnterLanes(const Var& var, int64_t lanes);
  void LeaveLanes();
  int64_t lanes() const { return lanes_; }  // 0 outside
  bool UsesLanes(const Expr& expr) const { return lanes_ != 0 && UsesVar(expr, lane_var_); }
  const Var& lane_var() const { return lane_var_; }

  // True when the expression is the same in every lane and can be computed at any point: no loads, no division that
  // may trap.
  bool IsPure(const Expr& expr) const;
  // The value of a pure expression.
  llvm::Value* PureValue(const Expr& expr);

  // Index of the innermost scope among the expression's variables.
  int DepthOf(const Expr& expr) const;

  // `base` + index * scale_bytes, computed where both are known.
  llvm::Value* Offset(llvm::Value* base, const Expr& index, int64_t scale_bytes);
  llvm::Value* BasePointer(int buffer);
  // Memory that may always be read: stands in for an address that no lane wants.
  llvm::Value* DummyPointer();

 private:
  struct Scope {
    llvm::BasicBlock* head;
    std::vector<std::pair<Expr, llvm::Value*>> values;
    absl::flat_hash_map<std::tuple<llvm::Value*, llvm::Value*, int64_t>, llvm::Value*> offsets;
  };

  int DepthOf(llvm::Value* pointer) const;
  llvm::Value* EmitPure(const Expr& expr);
  // A constant of the module.
  llvm::Value* EmitLiteral(const Buffer& buffer);

  const LoweredNest& lowered_;
  llvm::Function* function_;
  llvm::IRBuilder<>* builder_;
  FrameArguments arguments_;
  std::vector<Scope> scopes_;
  std::vector<std::pair<Var, llvm::Value*>> variables_;  // in order of definition
  absl::flat_hash_map<Var, int> depths_;                 // index of the variable's scope
  absl::flat_hash_map<llvm::Value*, int> pointer_depths_;
  absl::flat_hash_map<Var, llvm::Value*> values_;
  VarRanges ranges_;
  Var lane_var_;
  int64_t lanes_ = 0;
  absl::flat_hash_map<int, llvm::Value*> bases_;
  llvm::Value* dummy_ = nullptr;
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_FRAME_H_
