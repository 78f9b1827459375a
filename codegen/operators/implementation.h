// Implementations: the programs that compute a workload, before any schedule.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_IMPLEMENTATION_H_
#define TUNEFLEET_CODEGEN_OPERATORS_IMPLEMENTATION_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

// The fresh LoopNest of an implementation ("direct", "winograd.<m>"). Buffers are the workload's input, constant and
// output tensors, in the workload's order, named as they are, in their physical shape; then the implementation's own.
// Errors: NOT_FOUND (no such implementation or version), INVALID_ARGUMENT (a malformed workload, unresolved layouts).
//
// "winograd.<m>" (conv2d only): operators/winograd.h. "blocked<b>.<implementation>": operators/blocked.h. "matmul" (a
// pointwise conv2d): operators/pointwise.h; its loops are those of matmul or dense, its block bears the node's kind,
// and its buffers are matrices.
//
// "direct.f64": as direct, but in double precision; a last block, "round", with loops "round_d<dimension>", stores the
// result as the output. A reference to hold others against.
//
// "direct": one perfect nest for the anchor, block and nest named after the node's kind, then one per epilogue node.
// Loops of the anchor, outermost first (iterators bear the same names):
//   conv2d            n, co, oh, ow, c, ci, kh, kw, l     co: channel, or block of channels; c: its lane (blocked
//                                                         output); ci: input channel, or block; l: its lane (blocked
//                                                         input)
//   depthwise_conv2d  n, co, oh, ow, c, kh, kw
//   matmul            b, m, n, k
//   dense             m, n, k
// Loops of an epilogue node: "bias_add_<axis>", "relu_<axis>" over the anchor's spatial axes, block bias_add or relu.
// Taps on the padding and padding lanes of the input are the anchor's guard; padding lanes of channels are written zero. Weights are read raw (OIHW).
absl::StatusOr<LoopNest> FreshNest(const v1::Workload& workload, absl::string_view implementation, int version);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_IMPLEMENTATION_H_
