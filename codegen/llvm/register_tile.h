// RegisterTile: where one step of an unrolled reduction ends and the next begins.
//
// The accumulators of a register tile are local elements with constant indices, each updated once per step. What a step
// loads is often loaded again by the next one (the taps of a convolution share their inputs). A compiler that sees both
// keeps all of it in registers, and when the accumulators already fill most of them it spills accumulators instead of
// loading again, which is all but free. So between the steps of a large tile goes a compiler fence, which costs no
// instruction. Not thread-safe.
#ifndef TUNEFLEET_CODEGEN_LLVM_REGISTER_TILE_H_
#define TUNEFLEET_CODEGEN_LLVM_REGISTER_TILE_H_

#include <cstdint>
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

  // To be called with the body of a loop before its blocks are emitted.
  void Begin(const LoopNest& nest, const Stmt& body);
  // True when a fence belongs right before the block.
  bool BeginsStep(const Block& block);

 private:
  using Element = std::pair<int, std::vector<int64_t>>;

  VectorRegisters registers_;
  bool large_ = false;
  absl::flat_hash_set<Element> updated_;  // in the current step
};

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_REGISTER_TILE_H_
