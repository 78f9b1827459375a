// How scalar types are held in registers and in memory. They differ for kBool only: i1 in a register, a byte in memory.
#ifndef TUNEFLEET_CODEGEN_LLVM_ELEMENT_TYPE_H_
#define TUNEFLEET_CODEGEN_LLVM_ELEMENT_TYPE_H_

#include <cstdint>

#include "codegen/ir/expr.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/LLVMContext.h"

namespace tunefleet::codegen {

inline llvm::Type* RegisterType(llvm::LLVMContext& context, ScalarType type) {
  switch (type) {
    case ScalarType::kFloat32:
      return llvm::Type::getFloatTy(context);
    case ScalarType::kFloat64:
      return llvm::Type::getDoubleTy(context);
    case ScalarType::kInt32:
      return llvm::Type::getInt32Ty(context);
    case ScalarType::kInt8:
      return llvm::Type::getInt8Ty(context);
    case ScalarType::kIndex:
      return llvm::Type::getInt64Ty(context);
    case ScalarType::kBool:
      return llvm::Type::getInt1Ty(context);
  }
  return nullptr;
}

inline llvm::Type* MemoryType(llvm::LLVMContext& context, ScalarType type) {
  return type == ScalarType::kBool ? llvm::Type::getInt8Ty(context) : RegisterType(context, type);
}

inline bool IsFloat(ScalarType type) { return type == ScalarType::kFloat32 || type == ScalarType::kFloat64; }

// `type` itself for one lane, otherwise the vector.
inline llvm::Type* WithLanes(llvm::Type* type, int64_t lanes) {
  return lanes == 0 ? type : llvm::FixedVectorType::get(type, static_cast<unsigned>(lanes));
}

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_ELEMENT_TYPE_H_
