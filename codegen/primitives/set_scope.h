// set_scope: where a temporary lives.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_SET_SCOPE_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_SET_SCOPE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Scope: local, workspace or shared. Errors: NOT_FOUND, INVALID_ARGUMENT (scope), FAILED_PRECONDITION (not a temporary;
// a temporary that lived in the caller's memory and is used inside a loop only, where values could outlive an
// iteration).
absl::StatusOr<LoopNest> SetScope(const LoopNest& nest, absl::string_view buffer, absl::string_view scope);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_SET_SCOPE_H_
