#include "codegen/primitives/parallel.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/independence.h"
#include "codegen/primitives/sites.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {

absl::StatusOr<LoopNest> Parallel(const LoopNest& nest, absl::string_view loop) {
  TF_ASSIGN_OR_RETURN(const Path path, FindLoop(nest, loop));
  Loop target = *As<Loop>(path.target());
  TF_RETURN_IF_ERROR(CheckSerial(target));
  const auto check_nesting = [&](const Loop& other, absl::string_view where) -> absl::Status {
    if (other.kind != LoopKind::kParallel) return absl::OkStatus();
    return Refuse(absl::StrCat("loop '", loop, "' has the parallel loop '", other.var->name, "' ", where,
                               ", expected one parallel loop around a block"));
  };
  const std::vector<const Loop*> loops = path.Loops();
  for (const Loop* outer : loops) TF_RETURN_IF_ERROR(check_nesting(*outer, "around it"));
  for (const Loop* inner : LoopsIn(target.body)) TF_RETURN_IF_ERROR(check_nesting(*inner, "inside"));
  TF_RETURN_IF_ERROR(CheckIndependent(nest, loops));
  target.kind = LoopKind::kParallel;
  return ReplaceTarget(nest, path, MakeStmt(std::move(target)));
}

}  // namespace tunefleet::codegen
