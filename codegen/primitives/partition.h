// partition: a loop's range is cut, so that each part can be simplified and scheduled on its own. The order of
// execution does not change.
//
// Scratch that is used nowhere but inside the loop becomes one buffer per part, with the part's suffix; all other
// buffers are shared. A part that never holds the first iteration of a reduction has no init of it.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_PARTITION_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_PARTITION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// Points are relative to the loop's begin, ascending, inside its extent; one more suffix than points, appended to the
// names of the loop and of every loop and block inside. Errors: NOT_FOUND, INVALID_ARGUMENT (points, suffixes, names),
// ALREADY_EXISTS, FAILED_PRECONDITION (not serial, extent not constant).
absl::StatusOr<LoopNest> Partition(const LoopNest& nest, absl::string_view loop, const std::vector<int64_t>& points,
                                   const std::vector<std::string>& suffixes);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_PARTITION_H_
