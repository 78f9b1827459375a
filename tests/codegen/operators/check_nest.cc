#include "tests/codegen/operators/check_nest.h"

#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/operators/reference.h"
#include "codegen/operators/tolerance.h"
#include "codegen/operators/workload.h"
#include "common/fill.h"
#include "common/status_macros.h"
#include "tests/codegen/interpreter/interpreter.h"

namespace tunefleet::codegen {

absl::Status CheckNest(const v1::Workload& workload, const LoopNest& nest, absl::string_view implementation) {
  TF_ASSIGN_OR_RETURN(const Reference reference, ComputeReference(workload, 5));
  Buffers inputs;
  for (const v1::BufferFill& fill : reference.fills) {
    const v1::Tensor& tensor = workload.tensors(fill.buffer());
    int64_t elements = 1;
    for (const int64_t extent : PhysicalShape(tensor)) elements *= extent;
    std::vector<float> values(elements);
    TF_RETURN_IF_ERROR(common::FillBuffer(fill, std::as_writable_bytes(std::span(values))));
    inputs[tensor.name()] = {values.begin(), values.end()};
  }
  TF_ASSIGN_OR_RETURN(const Buffers outputs, Interpret(nest, inputs));
  TF_ASSIGN_OR_RETURN(const std::vector<v1::OutputCheck> checks, ChecksFor(workload, reference, implementation));
  const v1::OutputCheck& check = checks[0];
  std::vector<float> expected(reference.outputs[0].size() / sizeof(float));
  std::memcpy(expected.data(), reference.outputs[0].data(), reference.outputs[0].size());
  const auto found = outputs.find(workload.tensors(check.buffer()).name());
  if (found == outputs.end()) return absl::InternalError("the output was not written");
  if (found->second.size() != expected.size()) {
    return absl::InternalError(
        absl::StrCat("the output has ", found->second.size(), " elements, not ", expected.size()));
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    const double allowed = check.absolute() + check.relative() * std::abs(expected[i]);
    if (!(std::abs(found->second[i] - expected[i]) <= allowed)) {
      return absl::InternalError(absl::StrCat("output element ", i, " is ", found->second[i], ", expected ",
                                              expected[i], " within ", allowed));
    }
  }
  return absl::OkStatus();
}

}  // namespace tunefleet::codegen
