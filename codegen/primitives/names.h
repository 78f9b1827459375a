// New names that a primitive is given.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_NAMES_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_NAMES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Every name is new in the nest, or one of those that the primitive gives up, and none is there twice. Errors: those of
// CheckNewName.
absl::Status CheckNewNames(const LoopNest& nest, const std::vector<std::string>& names,
                           const std::vector<std::string>& given_up);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_NAMES_H_
