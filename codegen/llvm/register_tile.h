// RegisterTile: where one step of an unrolled reduction ends and the next begins.
//
// The accumulators of a register tile are local elements with constant indices, each updated once per step. What a step
// loads is often loaded again by the next one (the taps of a convolution share their inputs). A compiler that sees both
// keeps all of it in registers, and when the accumulators already fill most of them it spills accumulators instead of
// loading again, which is all but free. So between the steps of a large tile goes a compiler fence, which costs no
// instruction.
//
// Within a step, a fence between two multiply-adds that share a scalar of a buffer with fold_loads makes the second
// load it anew: then each load has one user and becomes its memory operand. Not thread-safe.
#ifndef TUNEFLEET_CODEGEN_LLVM_REGISTER_TILE_H_
#define TUNEFLEET_CODEGEN_LLVM_REGISTER_TILE_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Vector registers of a target.
struct VectorRegisters {
  int64_t count = 0;
  int64_t bits = 0;  // of one
};

class RegisterTile {
 public:
  explicit RegisterTile(VectorRegisters registers) : registers_(registers) {}

  // To be called with the body of a loop before its blocks are emitted; borrows the nest until the next call.
  void Begin(const LoopNest& nest, const Stmt& body);
  // True when a fence belongs right before the block. To be called for one block after the other.
  bool FenceBefore(const Block& block);

 private:
  using Element = std::pair<int, std::vector<int64_t>>;

  void PlanFolds(const Stmt& body);
  bool BeginsStep(const Block& block);
  bool LoadsAgain(const Block& block);

  VectorRegisters registers_;
  const LoopNest* nest_ = nullptr;
  bool large_ = false;
  absl::flat_hash_set<Element> updated_;  // in the current step
  int64_t folds_ = 0;                     // scalars of a step that are loaded by each of their users
  int64_t folded_ = 0;                    // in the current step
  std::string scalar_;                    // that the last block read, if it may be folded
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_REGISTER_TILE_H_
