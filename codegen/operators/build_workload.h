// From checked numbers to the Workload message: tensors, nodes, attributes. Private to this folder.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_BUILD_WORKLOAD_H_
#define TUNEFLEET_CODEGEN_OPERATORS_BUILD_WORKLOAD_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/operators/workload.h"

namespace tunefleet::codegen {

// Layouts may be empty: resolved later. `epilogue` holds bias and relu, each at most once. Errors: INVALID_ARGUMENT
// (empty output, tensors too large, unknown layout).
absl::StatusOr<v1::Workload> BuildConv2dWorkload(const Conv2dShape& shape, absl::string_view input_layout,
                                                 absl::string_view output_layout,
                                                 const std::vector<std::string>& epilogue);
absl::StatusOr<v1::Workload> BuildMatmulWorkload(const MatmulShape& shape, const std::vector<std::string>& epilogue);

// Whether the output has elements and every tensor and the reduction stay within what kernels can index.
absl::Status CheckConv2dShape(const Conv2dShape& shape);
absl::Status CheckMatmulShape(const MatmulShape& shape);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_BUILD_WORKLOAD_H_
