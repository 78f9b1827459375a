#include "codegen/primitives/names.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "codegen/ir/tree.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {

absl::Status CheckNewNames(const LoopNest& nest, const std::vector<std::string>& names,
                           const std::vector<std::string>& given_up) {
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) != name) {
      return absl::AlreadyExistsError(absl::StrCat("name '", *name, "' is given twice"));
    }
    if (std::find(given_up.begin(), given_up.end(), *name) == given_up.end()) {
      TF_RETURN_IF_ERROR(CheckNewName(nest, *name));
    }
  }
  return absl::OkStatus();
}

}  // namespace tunefleet::codegen
