#include "codegen/llvm/arithmetic.h"

#include "codegen/llvm/element_type.h"
#include "common/check.h"

namespace tunefleet::codegen {
namespace {

llvm::Value* EmitFloat(llvm::IRBuilder<>& builder, BinaryOp op, llvm::Value* a, llvm::Value* b) {
  switch (op) {
    case BinaryOp::kAdd:
      return builder.CreateFAdd(a, b);
    case BinaryOp::kSub:
      return builder.CreateFSub(a, b);
    case BinaryOp::kMul:
      return builder.CreateFMul(a, b);
    case BinaryOp::kDiv:
      return builder.CreateFDiv(a, b);
    case BinaryOp::kMin:
      return builder.CreateSelect(builder.CreateFCmpOLT(b, a), b, a);
    case BinaryOp::kMax:
      return builder.CreateSelect(builder.CreateFCmpOLT(a, b), b, a);
    case BinaryOp::kLess:
      return builder.CreateFCmpOLT(a, b);
    case BinaryOp::kLessEqual:
      return builder.CreateFCmpOLE(a, b);
    case BinaryOp::kEqual:
      return builder.CreateFCmpOEQ(a, b);
    default:
      break;
  }
  TF_CHECK(false, "operator without a meaning for floats");
  return nullptr;
}

// floor(a / b) and its remainder: LLVM's division truncates, so a remainder of the other sign than b moves the
// quotient.
llvm::Value* EmitFloorDiv(llvm::IRBuilder<>& builder, llvm::Value* a, llvm::Value* b, bool want_quotient) {
  llvm::Value* zero = llvm::Constant::getNullValue(a->getType());
  llvm::Value* remainder = builder.CreateSRem(a, b);
  llvm::Value* off = builder.CreateAnd(builder.CreateICmpNE(remainder, zero),
                                       builder.CreateICmpSLT(builder.CreateXor(remainder, b), zero));
  if (!want_quotient) return builder.CreateAdd(remainder, builder.CreateSelect(off, b, zero));
  return builder.CreateSub(builder.CreateSDiv(a, b), builder.CreateZExt(off, a->getType()));
}

llvm::Value* EmitInteger(llvm::IRBuilder<>& builder, BinaryOp op, bool is_index, llvm::Value* a, llvm::Value* b,
                         bool non_negative) {
  switch (op) {
    case BinaryOp::kAdd:
      return builder.CreateAdd(a, b, "", false, is_index);
    case BinaryOp::kSub:
      return builder.CreateSub(a, b, "", false, is_index);
    case BinaryOp::kMul:
      return builder.CreateMul(a, b, "", false, is_index);
    case BinaryOp::kDiv:
      return builder.CreateSDiv(a, b);
    case BinaryOp::kFloorDiv:
      return non_negative ? builder.CreateUDiv(a, b) : EmitFloorDiv(builder, a, b, true);
    case BinaryOp::kFloorMod:
      return non_negative ? builder.CreateURem(a, b) : EmitFloorDiv(builder, a, b, false);
    case BinaryOp::kMin:
      return builder.CreateBinaryIntrinsic(llvm::Intrinsic::smin, a, b);
    case BinaryOp::kMax:
      return builder.CreateBinaryIntrinsic(llvm::Intrinsic::smax, a, b);
    case BinaryOp::kLess:
      return builder.CreateICmpSLT(a, b);
    case BinaryOp::kLessEqual:
      return builder.CreateICmpSLE(a, b);
    case BinaryOp::kEqual:
      return builder.CreateICmpEQ(a, b);
    case BinaryOp::kAnd:
      return builder.CreateAnd(a, b);
    case BinaryOp::kOr:
      return builder.CreateOr(a, b);
  }
  TF_CHECK(false, "unknown operator");
  return nullptr;
}

}  // namespace

llvm::Value* EmitBinary(llvm::IRBuilder<>& builder, BinaryOp op, ScalarType type, llvm::Value* a, llvm::Value* b,
                        bool non_negative) {
  if (IsFloat(type)) return EmitFloat(builder, op, a, b);
  return EmitInteger(builder, op, type == ScalarType::kIndex, a, b, non_negative);
}

llvm::Value* EmitCast(llvm::IRBuilder<>& builder, ScalarType from, ScalarType to, llvm::Value* a) {
  if (from == to) return a;
  llvm::Type* type = RegisterType(builder.getContext(), to);
  if (auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(a->getType())) {
    type = WithLanes(type, vector->getNumElements());
  }
  if (to == ScalarType::kBool) {
    llvm::Value* zero = llvm::Constant::getNullValue(a->getType());
    return IsFloat(from) ? builder.CreateFCmpUNE(a, zero) : builder.CreateICmpNE(a, zero);
  }
  if (IsFloat(from)) return IsFloat(to) ? builder.CreateFPCast(a, type) : builder.CreateFPToSI(a, type);
  if (IsFloat(to)) {
    return from == ScalarType::kBool ? builder.CreateUIToFP(a, type) : builder.CreateSIToFP(a, type);
  }
  return builder.CreateIntCast(a, type, /*isSigned=*/from != ScalarType::kBool);
}

}  // namespace tunefleet::codegen
