// Convolutions on plain (NCHW) or channels-last (NHWC) tensors: every space of the convolution on blocks of channels,
// between two copies (operators/blocked.h).
//
//   pack the input into blocks      (vectors of channels)
//   the inner space's program
//   unpack the output               (NCHW: vectors of pixels, NHWC: of channels)
#ifndef TUNEFLEET_CODEGEN_SPACES_CONV2D_BLOCKED_H_
#define TUNEFLEET_CODEGEN_SPACES_CONV2D_BLOCKED_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/spaces/schedule_space.h"

namespace tunefleet::codegen {

using MakeInnerSpaces = absl::StatusOr<std::vector<std::unique_ptr<ScheduleSpace>>> (*)(const v1::Workload& workload,
                                                                                        const v1::Target& target);

// The spaces that `make` has for the workload in blocks of a vector's lanes, each between the copies; named after the
// inner space, "x86.conv2d.blocked16.winograd.4". None when the workload is in blocks already. Errors: INVALID_ARGUMENT
// for a malformed workload.
absl::StatusOr<std::vector<std::unique_ptr<ScheduleSpace>>> MakeConv2dBlockedSpaces(const v1::Workload& workload,
                                                                                    const v1::Target& target,
                                                                                    MakeInnerSpaces make);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_SPACES_CONV2D_BLOCKED_H_
