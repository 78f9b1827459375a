// Holds a loop nest against the reference of its workload, by interpreting it.
#ifndef TUNEFLEET_TESTS_CODEGEN_OPERATORS_CHECK_NEST_H_
#define TUNEFLEET_TESTS_CODEGEN_OPERATORS_CHECK_NEST_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

// OK when the nest, run on the reference's inputs, gives its outputs within the implementation's tolerance; else what
// went wrong.
absl::Status CheckNest(const v1::Workload& workload, const LoopNest& nest, absl::string_view implementation);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_CODEGEN_OPERATORS_CHECK_NEST_H_
