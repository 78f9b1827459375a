#include "codegen/lowering/assign_storage.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/element_size.h"
#include "codegen/lowering/buffer_uses.h"

namespace tunefleet::codegen {
namespace {

constexpr int64_t kAlignment = 64;

int64_t RoundUp(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// Iterations of the parallel loop that all uses share, at most; 0 when they share none.
int64_t TasksAround(const std::vector<BufferUse>& uses) {
  const Loop* loop = ParallelLoopOf(uses[0]);
  if (loop == nullptr) return 0;
  for (const BufferUse& use : uses) {
    if (ParallelLoopOf(use) != loop) return 0;
  }
  return std::max<int64_t>(1, BoundsOf(loop->extent, uses[0].ranges)->max);
}

bool CrossesTasks(const std::vector<BufferUse>& uses) {
  const Loop* loop = ParallelLoopOf(uses[0]);
  return std::any_of(uses.begin(), uses.end(), [&](const BufferUse& use) { return ParallelLoopOf(use) != loop; });
}

}  // namespace

absl::StatusOr<LoweredNest> AssignStorage(const LoopNest& nest, const LoweringLimits& limits) {
  LoweredNest lowered{.nest = nest};
  lowered.workspace_offsets.assign(nest.buffers.size(), -1);
  lowered.workspace_task_stride.assign(nest.buffers.size(), 0);
  const std::vector<std::vector<BufferUse>> uses = UsesOfTemporaries(nest);
  int64_t local_bytes = 0;
  for (size_t b = 0; b < nest.buffers.size(); ++b) {
    if (uses[b].empty()) continue;
    Buffer& buffer = lowered.nest.buffers[b];
    const int64_t bytes = RoundUp(BufferBytes(buffer));
    if (buffer.scope == Scope::kLocal && !CrossesTasks(uses[b])) {
      local_bytes += bytes;
      continue;
    }
    buffer.scope = Scope::kWorkspace;
    const int64_t tasks = TasksAround(uses[b]);
    lowered.workspace_offsets[b] = lowered.workspace_bytes;
    lowered.workspace_task_stride[b] = tasks == 0 ? 0 : bytes;
    if (bytes > limits.max_workspace_bytes / std::max<int64_t>(tasks, 1) ||
        lowered.workspace_bytes + bytes * std::max<int64_t>(tasks, 1) > limits.max_workspace_bytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("nest '", nest.name, "' needs more than ", limits.max_workspace_bytes, " bytes of workspace"));
    }
    lowered.workspace_bytes += bytes * std::max<int64_t>(tasks, 1);
  }
  if (local_bytes > limits.max_local_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat("nest '", nest.name, "' has ", local_bytes,
                                                     " bytes of local buffers, more than ", limits.max_local_bytes));
  }
  return lowered;
}

}  // namespace tunefleet::codegen
