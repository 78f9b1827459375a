// FunctionEmitter: statements of a lowered nest as the body of one LLVM function. Serial loops become bottom-tested
// loops, parallel loops become task functions of their own, called through the runtime.
//
//   task(closure, i):  closure = { void* const* buffers, void* workspace, int64 begin, int64 outer variables ... }
//
// The closure lives on the stack of the function that has the parallel loop. A parallel loop inside a task runs
// serially.
#ifndef TUNEFLEET_CODEGEN_LLVM_FUNCTION_EMITTER_H_
#define TUNEFLEET_CODEGEN_LLVM_FUNCTION_EMITTER_H_

#include <functional>
#include <string>

#include "codegen/llvm/block_emitter.h"
#include "codegen/llvm/frame.h"
#include "codegen/llvm/register_tile.h"

namespace tunefleet::codegen {

class FunctionEmitter {
 public:
  // `make_function` declares an internal function that will hold a task. Borrows all pointers.
  using MakeFunction = std::function<llvm::Function*(llvm::FunctionType*)>;
  FunctionEmitter(Frame* frame, const AliasScopes* scopes, VectorRegisters registers,
                  const MakeFunction* make_function);

  void Emit(const Stmt& stmt);

 private:
  void EmitSerial(const Loop& loop);
  void EmitVectorized(const Loop& loop);
  void EmitParallel(const Loop& loop);
  void EmitIf(const If& branch);
  void EmitBlock(const Block& block);
  // Body(i) for i in [begin, begin + extent), the loop variable in a scope of its own when `loop` is given.
  void EmitCountedLoop(llvm::Value* begin, llvm::Value* extent, bool at_least_once,
                       const std::function<void(llvm::BasicBlock* head, llvm::Value* i)>& body);
  llvm::Function* EmitTask(const Loop& loop, llvm::StructType* closure_type, Interval range);

  Frame& frame_;
  llvm::IRBuilder<>& builder_;
  const AliasScopes& scopes_;
  const VectorRegisters registers_;
  const MakeFunction& make_function_;
  BlockEmitter blocks_;
  RegisterTile tile_;
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_FUNCTION_EMITTER_H_
