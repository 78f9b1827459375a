// Addresses of buffer elements: a base pointer, one offset per loop variable (outermost first, shared through the
// frame) and a constant displacement last, so that the accesses of an unrolled tile differ in their displacement only.
#ifndef TUNEFLEET_CODEGEN_LLVM_ADDRESSING_H_
#define TUNEFLEET_CODEGEN_LLVM_ADDRESSING_H_

#include <cstdint>
#include <vector>

#include "codegen/ir/expr.h"
#include "codegen/llvm/frame.h"
#include "llvm/Support/Alignment.h"

namespace tunefleet::codegen {

struct Address {
  llvm::Value* pointer = nullptr;  // of lane 0
  int64_t stride = 0;              // elements from lane to lane; 0: the same element for all
  std::vector<Expr> irregular;     // in bytes, one summand each: lane-dependent, not linear in the lane
  llvm::Align alignment;           // of `pointer`

  bool IsUniform() const { return irregular.empty() && stride == 0; }
  bool IsVector() const { return irregular.empty() && stride == 1; }  // the lanes lie side by side
};

// Outside a vectorized loop the address is uniform. Index parts with loads in them are emitted by `emit`, at the
// current point.
Address AddressOf(Frame& frame, int buffer, const std::vector<Expr>& indices,
                  const std::function<llvm::Value*(const Expr&)>& emit);

// True when the indices stay inside the buffer for every value of the loop variables and every lane.
bool ProvablyInBounds(const Frame& frame, int buffer, const std::vector<Expr>& indices);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_ADDRESSING_H_
