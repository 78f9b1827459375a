#include "codegen/primitives/set_scope.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "codegen/primitives/sites.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

// Whether some loop is around all uses of the buffer.
bool UsedInsideOneLoop(const LoopNest& nest, int buffer) {
  const size_t uses = UsersOf(nest, buffer).size();
  for (const Stmt& root : {nest.prepare, nest.run}) {
    for (const Loop* loop : LoopsIn(root)) {
      const std::vector<const Block*> blocks = BlocksIn(loop->body);
      const auto inside = std::count_if(blocks.begin(), blocks.end(), [buffer](const Block* block) {
        return Reads(*block, buffer) || Writes(*block, buffer);
      });
      if (uses > 0 && static_cast<size_t>(inside) == uses) return true;
    }
  }
  return false;
}

}  // namespace

absl::StatusOr<LoopNest> SetScope(const LoopNest& nest, absl::string_view buffer, absl::string_view scope) {
  TF_ASSIGN_OR_RETURN(const int index, FindBufferNamed(nest, buffer));
  TF_ASSIGN_OR_RETURN(const Scope new_scope, ScratchScope(scope));
  const Buffer& target = nest.buffers[index];
  if (target.role != Role::kTemporary) {
    return Refuse(absl::StrCat("buffer '", buffer, "' belongs to the caller, expected a temporary"));
  }
  if (target.scope == Scope::kGlobal && UsedInsideOneLoop(nest, index)) {
    return Refuse(absl::StrCat("buffer '", buffer,
                               "' is used inside one loop and keeps its values from one iteration "
                               "to the next, expected a temporary that lives as long as its uses"));
  }
  LoopNest result = nest;
  result.buffers[index].scope = new_scope;
  return result;
}

}  // namespace tunefleet::codegen
