#include "tests/codegen/operators/check_nest.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/operators/reference.h"
#include "codegen/operators/tolerance.h"
#include "common/status_macros.h"
#include "tests/codegen/interpreter/interpreter.h"
#include "tests/codegen/operators/reference_buffers.h"

namespace tunefleet::codegen {

absl::Status CheckNest(const v1::Workload& workload, const LoopNest& nest, absl::string_view implementation) {
  TF_ASSIGN_OR_RETURN(const Reference reference, ComputeReference(workload, 5));
  TF_ASSIGN_OR_RETURN(const Buffers outputs, Interpret(nest, InputsOf(workload, reference)));
  TF_ASSIGN_OR_RETURN(const std::vector<v1::OutputCheck> checks, ChecksFor(workload, reference, implementation));
  const v1::OutputCheck& check = checks[0];
  const std::string& name = workload.tensors(static_cast<int>(check.buffer())).name();
  const std::vector<double> expected = OutputsOf(workload, reference)[name];
  const auto found = outputs.find(name);
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
