// transform_layout: a buffer is stored in another order, its dimensions split and permuted.
//
//   terms := one per new dimension:  dim | dim "/" factor | dim "%" factor     dim: number of the old dimension
//
// Every old dimension is there once as itself, or once each as / and % with one factor. Where the factor does not
// divide, the new buffer is larger. A constant gets a new buffer of role kPrepared, with zeros there, packed by a new
// block in `prepare`; a read that was guarded by select(index < extent, constant[...], 0) loses the select, as the
// zeros say the same. Of a temporary or prepared buffer the larger part is neither written nor read.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_TRANSFORM_LAYOUT_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_TRANSFORM_LAYOUT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// `name`: for a constant that of the packing block (iterators d0, d1, ..., one per new dimension; loops "<name>.d0",
// ...) and of the new buffer; else empty or the buffer's. Errors: NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT (terms,
// name), FAILED_PRECONDITION (an input or output; a constant that `run` does not read).
absl::StatusOr<LoopNest> TransformLayout(const LoopNest& nest, absl::string_view buffer,
                                         const std::vector<std::string>& terms, absl::string_view name);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_TRANSFORM_LAYOUT_H_
