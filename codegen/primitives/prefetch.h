// prefetch: fetching ahead of a stream. Vectors that are read of a buffer also ask for what lies some way further on,
// which reaches across the pages at which a processor's own prefetcher stops.
#ifndef TUNEFLEET_CODEGEN_PRIMITIVES_PREFETCH_H_
#define TUNEFLEET_CODEGEN_PRIMITIVES_PREFETCH_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"

namespace tunefleet::codegen {

// `bytes`: one number, how far ahead; past the end of the buffer nothing is asked for that could fault. What the nest
// means does not change. Errors: NOT_FOUND, INVALID_ARGUMENT (not one number from 1 to 1 MiB), FAILED_PRECONDITION (a
// buffer that lives in registers or is a literal).
absl::StatusOr<LoopNest> Prefetch(const LoopNest& nest, absl::string_view buffer, const std::vector<int64_t>& bytes);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_PRIMITIVES_PREFETCH_H_
