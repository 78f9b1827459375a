// A pointwise convolution (1x1 taps, stride 1, no padding) on plain (NCHW) or channels-last (NHWC) tensors as a matrix
// multiplication: pixels are rows or columns of a matrix. The implementation is called "matmul".
#ifndef TUNEFLEET_CODEGEN_OPERATORS_POINTWISE_H_
#define TUNEFLEET_CODEGEN_OPERATORS_POINTWISE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "codegen/operators/workload.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

// NCHW: for every image, output [co, h w] = weight [co, ci] data [ci, h w] (constant_a). NHWC: output [n h w, co] =
// data [n h w, ci] weight^T (constant_b). Nullopt: another convolution, or one in blocks.
std::optional<MatmulShape> PointwiseMatmul(const Conv2dShape& shape);

// A tensor's shape in memory as the multiplication sees it: the image's rows are one dimension, and taps none.
std::vector<int64_t> MatrixShape(const v1::Tensor& tensor);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_POINTWISE_H_
