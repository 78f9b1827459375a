#include "common/temporary_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

namespace tunefleet::common {

absl::StatusOr<std::unique_ptr<TemporaryFolder>> TemporaryFolder::Make(absl::string_view base,
                                                                       absl::string_view prefix) {
  std::string path = absl::StrCat(base, "/", prefix, "XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat("make a temporary folder in ", base, ": ", strerror(errno)));
  }
  return absl::WrapUnique(new TemporaryFolder(std::move(path)));
}

TemporaryFolder::TemporaryFolder(std::string path) : path_(std::move(path)) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace tunefleet::common
