#include "codegen/primitives/fold_loads.h"

#include "codegen/primitives/sites.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {

absl::StatusOr<LoopNest> FoldLoads(const LoopNest& nest, absl::string_view buffer) {
  TF_ASSIGN_OR_RETURN(const int target, FindBufferInMemory(nest, buffer));
  LoopNest result = nest;
  result.buffers[target].fold_loads = true;
  return result;
}

}  // namespace tunefleet::codegen
