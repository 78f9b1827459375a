// Tensor intrinsics: pieces of a program for which a code generator has an implementation of its own, far better than
// what the loops say. An intrinsic's meaning is a small loop nest, its description; loops that match it may be marked
// kTensorized, and mean what they meant before.
//
//   transpose.16x16.f32, transpose.8x8.f32:
//     for i in [0, n): for j in [0, n): to[j, i] = from[i, j]
//   dot.4x4.s8 (AArch64's sdot):
//     for lane in [0, 4): for k in [0, 4): sum[lane] += cast<int32>(a[k]) * cast<int32>(b[lane * 4 + k])
//
// In a description the last dimension of a buffer is dense (strides are as written) and all others may have any
// constant stride.
#ifndef TUNEFLEET_CODEGEN_IR_TENSOR_INTRINSIC_H_
#define TUNEFLEET_CODEGEN_IR_TENSOR_INTRINSIC_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/interval.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

struct TensorIntrinsic {
  std::string name;
  std::string architecture;  // first word of a triple, whose targets ...
  std::string feature;       // ... must have this feature
  bool elsewhere = false;    // whether other architectures have an implementation
  LoopNest description;      // `run`: loops from 0, outermost first, around one block of one store
};

// Null when there is none of this name.
const TensorIntrinsic* FindIntrinsic(absl::string_view name);
std::vector<std::string> IntrinsicNames();

// What the program gives an intrinsic: the loops that stand for the description's, and the block inside.
struct IntrinsicMatch {
  std::vector<const Loop*> loops;  // outermost first
  const Block* block = nullptr;
};

// Whether `stmt` and what is inside is the intrinsic: perfectly nested loops of the description's extents around a
// block that stores the same expression of other buffers, with strides that the description allows. `ranges` are of
// the loops around. Inits, and guards and predicates over the loops, do not match. Errors: FAILED_PRECONDITION, saying
// what differs.
absl::StatusOr<IntrinsicMatch> MatchIntrinsic(const LoopNest& nest, const TensorIntrinsic& intrinsic, const Stmt& stmt,
                                              VarRanges ranges);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_IR_TENSOR_INTRINSIC_H_
