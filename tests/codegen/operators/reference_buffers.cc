#include "tests/codegen/operators/reference_buffers.h"

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "codegen/operators/workload.h"
#include "common/check.h"
#include "common/fill.h"

namespace tunefleet::codegen {

Buffers InputsOf(const v1::Workload& workload, const Reference& reference) {
  Buffers inputs;
  for (const v1::BufferFill& fill : reference.fills) {
    const v1::Tensor& tensor = workload.tensors(static_cast<int>(fill.buffer()));
    int64_t elements = 1;
    for (const int64_t extent : PhysicalShape(tensor)) elements *= extent;
    std::vector<float> values(static_cast<size_t>(elements));
    const absl::Status status = common::FillBuffer(fill, std::as_writable_bytes(std::span(values)));
    TF_CHECK(status.ok(), status.message());
    inputs[tensor.name()] = {values.begin(), values.end()};
  }
  return inputs;
}

Buffers OutputsOf(const v1::Workload& workload, const Reference& reference) {
  Buffers outputs;
  for (size_t i = 0; i < reference.outputs.size(); ++i) {
    const std::string& bytes = reference.outputs[i];
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    const auto tensor = static_cast<int>(reference.checks[i].buffer());
    outputs[workload.tensors(tensor).name()] = {values.begin(), values.end()};
  }
  return outputs;
}

}  // namespace tunefleet::codegen
