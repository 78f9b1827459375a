// Targets as people write them.
//
//   target := triple [ "-mcpu=" cpu [ "-mattr=" feature ("," feature)* ] ]      feature := ("+" | "-") name
//
// Switching a feature on brings those that it needs, switching one off takes those along that need it.
//
// e.g. x86_64-linux-gnu -mcpu=znver5, or aarch64-linux-gnu -mcpu=cortex-a53 -mattr=+crc.
#ifndef TUNEFLEET_CODEGEN_LLVM_TARGET_TEXT_H_
#define TUNEFLEET_CODEGEN_LLVM_TARGET_TEXT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

// Triple, cpu and the features that they imply, sorted; caches, cores and threads stay unset. Errors: INVALID_ARGUMENT
// (not of this form, an unknown triple, cpu or feature), saying what would be right.
absl::StatusOr<v1::Target> ParseTarget(absl::string_view text);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_LLVM_TARGET_TEXT_H_
