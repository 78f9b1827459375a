#include "codegen/primitives/unroll.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/sites.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {

absl::StatusOr<LoopNest> Unroll(const LoopNest& nest, absl::string_view loop) {
  TF_ASSIGN_OR_RETURN(const Path path, FindLoop(nest, loop));
  Loop target = *As<Loop>(path.target());
  TF_RETURN_IF_ERROR(CheckSerial(target));
  if (!ConstantInt(target.extent).has_value()) {
    return Refuse(absl::StrCat("loop '", loop, "' has an extent that depends on outer loops, expected a constant"));
  }
  target.kind = LoopKind::kUnrolled;
  return ReplaceTarget(nest, path, MakeStmt(std::move(target)));
}

}  // namespace tunefleet::codegen
