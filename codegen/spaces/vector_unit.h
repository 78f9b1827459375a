// What a register-tiled space must know of a Target: vector width, registers, caches, threads.
#ifndef TUNEFLEET_CODEGEN_SPACES_VECTOR_UNIT_H_
#define TUNEFLEET_CODEGEN_SPACES_VECTOR_UNIT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "proto/workload.pb.h"

namespace tunefleet::codegen {

struct VectorUnit {
  std::string family;      // "x86", "arm64", ...: the first word of the names of its spaces
  int64_t lanes;           // 32-bit lanes of a vector register
  int64_t registers;       // vector registers
  bool broadcast_operand;  // a multiply-add may take a broadcast scalar from memory without a register
  bool lane_operand;       // a multiply-add may take a lane of a register as its scalar
  bool dot_product;        // dot.4x4.s8 (ir/tensor_intrinsic.h) is there
  int64_t l1_bytes;
  int64_t l2_bytes;
  int64_t l3_bytes;  // one thread's part of what all of them share; the second level's size where there is no third
  int64_t threads;

  // Whether accumulators, one row of vector operands and what else the inner loop keeps fit the registers: a broadcast
  // that several vectors share is kept too.
  bool Fits(int64_t accumulators, int64_t operands) const {
    const bool from_memory = broadcast_operand && operands == 1;
    return accumulators + operands + (from_memory ? 0 : 1) <= registers;
  }
  // The same for loops that go through a row of vectors for each broadcast (1), or through all broadcasts for each
  // vector (0), the values of knob "inner": a row of one is the same program either way.
  std::vector<int64_t> InnerLoops(int64_t vectors, int64_t broadcasts) const {
    if (vectors == 1) return {0};
    if (lane_operand || vectors * broadcasts + broadcasts + 1 <= registers) return {0, 1};
    return {1};
  }
  // Bytes ahead that a stream of so many bytes may be asked for, where it comes from beyond the second level; 0: not.
  std::vector<int64_t> PrefetchDistances(int64_t stream_bytes) const {
    if (stream_bytes <= l2_bytes) return {0};
    return {0, 1024, 4096, 16384, 65536};
  }
};

VectorUnit VectorUnitOf(const v1::Target& target);

// Products of two elements of the type that one instruction adds to each lane.
int64_t ProductsPerLane(const VectorUnit& unit, v1::DataType dtype);
// Of an element of what is multiplied.
int64_t OperandBytes(v1::DataType dtype);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_VECTOR_UNIT_H_
