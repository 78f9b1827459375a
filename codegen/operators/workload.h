// Workloads: how people write them, how they become a key, and what the operators' attributes mean.
//
//   op       := kind "(" name "=" value ("," name "=" value)* ")" ("+" epilogue)*
//   kind     := conv2d | depthwise_conv2d | matmul | dense
//   name     := conv2d: n h w ci co k kh kw s sh sw p ph pw d groups dtype layout in_layout
//               depthwise_conv2d: n h w c k kh kw s sh sw p ph pw d dtype layout
//               matmul: batch m n k ta tb dtype
//               dense: m n k dtype               (m rows, k inputs, n outputs; the weight [n, k] is a constant)
//   epilogue := bias | relu                      (each at most once, applied in this order)
//
// e.g. conv2d(n=1,h=56,w=56,ci=64,co=64,k=3,s=1,p=1)+bias+relu. k stands for kh and kw, s for sh and sw, p for ph and
// pw. Unset: n, batch, s, d, groups 1; p, ta, tb 0; dtype float32; layout from the Target; in_layout (the input's, NCHW
// before a blocked output) as layout. groups is 1, or ci = co = groups, which is a depthwise_conv2d.
//
// dtype is what the anchor multiplies. With float32 everything is float32. With int8 the output and the bias are int32:
// products are summed up in int32, which at most 131071 of them (2^17 - 1, each at most 2^14) cannot overflow; adding
// the bias wraps around.
//
// Tensors (logical shapes): conv2d data [n, ci, h, w], weight [co, ci, kh, kw] (constant), output [n, co, oh, ow] with
// oh = (h + 2 ph - d (kh - 1) - 1) / sh + 1; depthwise weight [c, 1, kh, kw]; matmul a [batch, m, k] (or [batch, k, m]
// with ta=1), b [batch, k, n] (or [batch, n, k] with tb=1), output [batch, m, n]; dense data [m, k]; bias [co] or [n],
// constant. Layouts: NCHW, NHWC, or NCHW<b>c with b channels in a block (channels rounded up, padding lanes zero on
// input and written zero).
#ifndef TUNEFLEET_CODEGEN_OPERATORS_WORKLOAD_H_
#define TUNEFLEET_CODEGEN_OPERATORS_WORKLOAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/measurement.pb.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

// Errors: INVALID_ARGUMENT, saying what was wrong, where, and what would be right.
absl::StatusOr<v1::Workload> ParseOperator(absl::string_view op);

// A named workload (resnet18.C1 ... resnet18.C12, matmul.1024) or a network (resnet18: all its operators, each once),
// with names. Errors: NOT_FOUND, listing what there is or the closest name.
struct NamedWorkload {
  std::string name;
  v1::Workload workload;
};
absl::StatusOr<std::vector<NamedWorkload>> FindWorkloads(absl::string_view name);

// Fills in unset layouts from the target. Errors: INVALID_ARGUMENT (a layout that the operator does not know).
absl::StatusOr<v1::Workload> ResolveLayouts(const v1::Workload& workload, const v1::Target& target);

// Canonical text of a resolved workload, in the --op syntax with every name spelled out and defaults left out; parses
// back to the same workload. The key of records.
std::string WorkloadKey(const v1::Workload& workload);

// Multiply-adds count twice; epilogues count one per element; taps that fall on padding count (the usual convention).
double FlopCount(const v1::Workload& workload);

// The anchor's attributes, checked. `dtype` is what is multiplied.
struct Conv2dShape {
  int64_t n, h, w, ci, co, kh, kw, sh, sw, ph, pw, d;
  bool depthwise = false;      // ci == co == channels
  int64_t channel_block = 0;   // of NCHW<b>c of input and output; 0: plain NCHW
  int64_t input_block = 0;     // C1 reads NCHW (0) and writes NCHW16c
  bool channels_last = false;  // NHWC: both are blocks of all channels
  v1::DataType dtype = v1::DATA_TYPE_FLOAT32;
  // Input channels that are summed up, padding lanes among them (they count zero): of int8 whole groups of 4, as
  // dot.4x4.s8 takes them.
  int64_t SummedChannels() const { return dtype == v1::DATA_TYPE_INT8 && input_block != 0 ? (ci + 3) / 4 * 4 : ci; }
  int64_t OutputHeight() const;
  int64_t OutputWidth() const;
};
struct MatmulShape {
  int64_t batch, m, n, k;
  bool ta, tb;
  bool constant_a = false;  // weights [m, k] for all of the batch: a pointwise convolution
  bool constant_b = false;  // weights [n, k], no batch: dense
  v1::DataType dtype = v1::DATA_TYPE_FLOAT32;
};
absl::StatusOr<Conv2dShape> Conv2dShapeOf(const v1::Workload& workload);
absl::StatusOr<MatmulShape> MatmulShapeOf(const v1::Workload& workload);

// Shape in memory, blocked axes split: [n, ceil(c / b), h, w, b] for NCHW<b>c, [n, 1, h, w, c] for NHWC.
std::vector<int64_t> PhysicalShape(const v1::Tensor& tensor);
// How the tensor's buffer is filled for measuring: seeded, padding lanes zero. `buffer` is left unset.
v1::BufferFill SeededFill(const v1::Tensor& tensor, uint64_t seed);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_WORKLOAD_H_
