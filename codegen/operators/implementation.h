// Implementations: the programs that compute a workload, before any schedule.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_IMPLEMENTATION_H_
#define TUNEFLEET_CODEGEN_OPERATORS_IMPLEMENTATION_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

// The fresh LoopNest of an implementation ("direct"). Buffers are the workload's input, constant and output tensors, in
// the workload's order, named as they are, in their physical shape; then temporaries. Errors: NOT_FOUND (no such
// implementation or version), INVALID_ARGUMENT.
absl::StatusOr<LoopNest> FreshNest(const v1::Workload& workload, absl::string_view implementation, int version);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_IMPLEMENTATION_H_
