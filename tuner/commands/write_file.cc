#include "tuner/commands/write_file.h"

#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace tunefleet::tuner {

absl::Status WriteFile(const std::filesystem::path& path, absl::string_view content) {
  const std::filesystem::path draft = path.string() + ".part";
  std::error_code error;
  {
    std::ofstream file(draft, std::ios::binary | std::ios::trunc);
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.close();
    if (!file) {
      std::filesystem::remove(draft, error);
      return absl::FailedPreconditionError(
          absl::StrCat("cannot write ", path.string(), "; expected a file in a folder that exists and may be written"));
    }
  }
  std::filesystem::rename(draft, path, error);
  if (error) return absl::FailedPreconditionError(absl::StrCat("cannot write ", path.string(), ": ", error.message()));
  return absl::OkStatus();
}

}  // namespace tunefleet::tuner
