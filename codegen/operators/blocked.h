// A convolution on plain (NCHW) or channels-last (NHWC) tensors as one on blocks of channels, between two copies. The
// implementation is called "blocked<b>.<inner>", where <inner> is an implementation of the workload on NCHW<b>c.
#ifndef TUNEFLEET_CODEGEN_OPERATORS_BLOCKED_H_
#define TUNEFLEET_CODEGEN_OPERATORS_BLOCKED_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "codegen/ir/loop_nest.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

struct BlockedImplementation {
  int64_t block;
  std::string inner;
};

std::string BlockedName(const BlockedImplementation& implementation);
// Of an implementation's name; nullopt when it is another implementation.
std::optional<BlockedImplementation> FindBlocked(absl::string_view implementation);

// The workload between the copies: all its images are in blocks. An input of few channels stays plain (NCHW), as blocks
// of it would be mostly padding. Errors: INVALID_ARGUMENT (no convolution, or one in blocks already).
absl::StatusOr<v1::Workload> BlockedWorkload(const v1::Workload& workload, int64_t block);

// Whether the workload of the copies sees another tensor than the workload, and what that tensor's buffer is called.
bool IsCopied(const v1::Tensor& plain, const v1::Tensor& blocked);
std::string BlockedBuffer(absl::string_view tensor);

// One block `name` that copies `from` to `to`, the same logical images [n, c, h, w] in two layouts: channels that only
// the layout of `to` has are zero. Loops are named "<name>_<axis>": n, c, h, w of `to`, where c is a block of channels
// and l a lane of it when `to` is in blocks.
Stmt CopyLayout(const std::string& name, const v1::Tensor& from, int from_buffer, const v1::Tensor& to, int to_buffer,
                const LoopNest& nest);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_CODEGEN_OPERATORS_BLOCKED_H_
