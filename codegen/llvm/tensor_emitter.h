// TensorEmitter: the implementations of tensor intrinsics (codegen/ir/tensor_intrinsic.h) in LLVM's vectors.
#ifndef TUNEFLEET_CODEGEN_LLVM_TENSOR_EMITTER_H_
#define TUNEFLEET_CODEGEN_LLVM_TENSOR_EMITTER_H_

#include <vector>

#include "absl/status/status.h"
#include "codegen/ir/tensor_intrinsic.h"
#include "codegen/llvm/block_emitter.h"
#include "codegen/llvm/frame.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

// Errors: FAILED_PRECONDITION when the nest has an intrinsic that the target lacks the instructions for.
absl::Status CheckIntrinsics(const LoopNest& nest, const v1::Target& target);

class TensorEmitter {
 public:
  // Borrows both.
  TensorEmitter(Frame* frame, const AliasScopes* scopes)
      : frame_(*frame), builder_(frame->builder()), scopes_(*scopes) {}

  // A kTensorized loop of a lowered nest, at the frame's current point.
  void Emit(const Stmt& loop);

 private:
  void EmitTranspose(const IntrinsicMatch& match, int64_t size);
  void EmitDot(const IntrinsicMatch& match);
  // Four int8 in every 32-bit lane: the elements from the load's on.
  llvm::Value* BroadcastGroup(const IntrinsicMatch& match, const Expr& load);
  llvm::Value* LoadAt(const IntrinsicMatch& match, int buffer, const std::vector<Expr>& indices, llvm::Type* type);
  // The address of the block's element with the loops at `values`.
  Address ElementAt(const IntrinsicMatch& match, int buffer, const std::vector<Expr>& indices,
                    const std::vector<int64_t>& values);
  std::vector<Expr> ElementIndices(const IntrinsicMatch& match, const std::vector<Expr>& indices,
                                   const std::vector<int64_t>& values) const;
  void MarkNoAlias(llvm::Instruction* access, int buffer);

  Frame& frame_;
  llvm::IRBuilder<>& builder_;
  const AliasScopes& scopes_;
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_TENSOR_EMITTER_H_
