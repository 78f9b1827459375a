#include "tests/codegen/spaces/random_inputs.h"

#include <vector>

#include "absl/random/distributions.h"
#include "codegen/operators/workload.h"

namespace tunefleet::codegen {

Buffers RandomIntegers(const v1::Workload& workload, std::mt19937_64& random) {
  Buffers inputs;
  for (const v1::Tensor& tensor : workload.tensors()) {
    if (tensor.role() != v1::TENSOR_ROLE_INPUT && tensor.role() != v1::TENSOR_ROLE_CONSTANT) continue;
    const std::vector<int64_t> shape = PhysicalShape(tensor);
    const bool blocked = shape.size() == 5;
    const bool int8 = tensor.dtype() == v1::DATA_TYPE_INT8;
    int64_t elements = 1;
    for (const int64_t extent : shape) elements *= extent;
    std::vector<double>& values = inputs[tensor.name()];
    for (int64_t i = 0; i < elements; ++i) {
      const int64_t value = absl::Uniform<int64_t>(absl::IntervalClosed, random, int8 ? -128 : -3, int8 ? 127 : 3);
      const int64_t channel = blocked ? i / (shape[2] * shape[3] * shape[4]) % shape[1] * shape[4] + i % shape[4] : 0;
      values.push_back(blocked && channel >= tensor.shape(1) ? 0 : static_cast<double>(value));
    }
  }
  return inputs;
}

}  // namespace tunefleet::codegen
