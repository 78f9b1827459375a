#include "tests/codegen/operators/reference_buffers.h"

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "codegen/operators/workload.h"
#include "common/check.h"
#include "common/fill.h"

namespace tunefleet::codegen {
namespace {

template <typename T>
std::vector<double> Filled(size_t elements, const v1::BufferFill& fill) {
  std::vector<T> values(elements);
  const absl::Status status = common::FillBuffer(fill, std::as_writable_bytes(std::span(values)));
  TF_CHECK(status.ok(), status.message());
  return {values.begin(), values.end()};
}

template <typename T>
std::vector<double> Unpacked(const std::string& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return {values.begin(), values.end()};
}

}  // namespace

Buffers InputsOf(const v1::Workload& workload, const Reference& reference) {
  Buffers inputs;
  for (const v1::BufferFill& fill : reference.fills) {
    const v1::Tensor& tensor = workload.tensors(static_cast<int>(fill.buffer()));
    int64_t elements = 1;
    for (const int64_t extent : PhysicalShape(tensor)) elements *= extent;
    const auto filled = tensor.dtype() == v1::DATA_TYPE_INT8    ? Filled<int8_t>
                        : tensor.dtype() == v1::DATA_TYPE_INT32 ? Filled<int32_t>
                                                                : Filled<float>;
    inputs[tensor.name()] = filled(static_cast<size_t>(elements), fill);
  }
  return inputs;
}

Buffers OutputsOf(const v1::Workload& workload, const Reference& reference) {
  Buffers outputs;
  for (size_t i = 0; i < reference.outputs.size(); ++i) {
    const v1::Tensor& tensor = workload.tensors(static_cast<int>(reference.checks[i].buffer()));
    const auto unpacked = tensor.dtype() == v1::DATA_TYPE_INT32 ? Unpacked<int32_t> : Unpacked<float>;
    outputs[tensor.name()] = unpacked(reference.outputs[i]);
  }
  return outputs;
}

}  // namespace tunefleet::codegen
