// LoopOutline: what a cost model may know of a program: its loops, and how far each step of a loop moves in each
// buffer.
//
// Indices are taken for linear: f // c moves by 1 / c and f % c by 1 per step, and no index moves past its dimension.
#ifndef TUNEFLEET_CODEGEN_FEATURES_LOOP_OUTLINE_H_
#define TUNEFLEET_CODEGEN_FEATURES_LOOP_OUTLINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

struct OutlineLoop {
  std::string name;
  int64_t extent = 1;  // the largest, where it depends on outer loops
  LoopKind kind = LoopKind::kSerial;
};

struct OutlineAccess {
  int buffer = -1;
  bool write = false;
  int64_t element_bytes = 4;
  std::vector<int64_t> shape;              // of the buffer
  std::vector<std::vector<double>> steps;  // per loop around the block, per dimension: elements per iteration

  // Elements by which the address moves per iteration of loop number `loop` of the block.
  double Stride(size_t loop) const;
};

struct OutlineBlock {
  std::string name;
  std::vector<int> loops;               // around it, outermost first: indices into LoopOutline::loops
  std::vector<OutlineAccess> accesses;  // the first store, then the loads of other buffers, each buffer once
  int64_t multiply_adds = 0;            // of one instance: products of two values from memory, summed up
};

// Of `run`; `prepare` is not timed. Loops outer before inner, blocks in program order.
struct LoopOutline {
  std::vector<OutlineLoop> loops;
  std::vector<OutlineBlock> blocks;
};

LoopOutline OutlineOf(const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_FEATURES_LOOP_OUTLINE_H_
