// Arithmetic on LLVM values, scalar or vector alike. Pure functions of a builder; operands have the same LLVM type.
#ifndef TUNEFLEET_CODEGEN_LLVM_ARITHMETIC_H_
#define TUNEFLEET_CODEGEN_LLVM_ARITHMETIC_H_

#include "codegen/ir/expr.h"
#include "llvm/IR/IRBuilder.h"

namespace tunefleet::codegen {

// `type` is the type of the operands. `non_negative`: both operands are known to be, which makes // and % cheap.
llvm::Value* EmitBinary(llvm::IRBuilder<>& builder, BinaryOp op, ScalarType type, llvm::Value* a, llvm::Value* b,
                        bool non_negative);

llvm::Value* EmitCast(llvm::IRBuilder<>& builder, ScalarType from, ScalarType to, llvm::Value* a);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_ARITHMETIC_H_
