#include "codegen/operators/pointwise.h"

namespace tunefleet::codegen {

std::optional<MatmulShape> PointwiseMatmul(const Conv2dShape& s) {
  const bool pointwise = s.kh == 1 && s.kw == 1 && s.sh == 1 && s.sw == 1 && s.ph == 0 && s.pw == 0 && !s.depthwise;
  if (!pointwise) return std::nullopt;
  const int64_t pixels = s.h * s.w;
  if (s.channels_last) {
    return MatmulShape{.batch = 1,
                       .m = s.n * pixels,
                       .n = s.co,
                       .k = s.ci,
                       .ta = false,
                       .tb = false,
                       .constant_b = true,
                       .dtype = s.dtype};
  }
  if (s.channel_block != 0 || s.input_block != 0) return std::nullopt;
  return MatmulShape{
      .batch = s.n, .m = s.co, .n = pixels, .k = s.ci, .ta = false, .tb = false, .constant_a = true, .dtype = s.dtype};
}

std::vector<int64_t> MatrixShape(const v1::Tensor& tensor) {
  const std::vector<int64_t> shape = PhysicalShape(tensor);
  if (tensor.role() == v1::TENSOR_ROLE_CONSTANT) {
    return shape.size() == 4 ? std::vector<int64_t>{shape[0], shape[1]} : shape;
  }
  if (tensor.layout() == "NHWC") return {shape[0] * shape[2] * shape[3], shape[4]};
  return {shape[0], shape[1], shape[2] * shape[3]};
}

}  // namespace tunefleet::codegen
