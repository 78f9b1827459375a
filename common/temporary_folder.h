// A fresh folder that only this user can enter. It is removed with what it holds, unless it is gone already.
#ifndef TUNEFLEET_COMMON_TEMPORARY_FOLDER_H_
#define TUNEFLEET_COMMON_TEMPORARY_FOLDER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tunefleet::common {

class TemporaryFolder {
 public:
  // Makes BASE/PREFIX and six characters. Errors: FAILED_PRECONDITION (the system's words).
  static absl::StatusOr<std::unique_ptr<TemporaryFolder>> Make(absl::string_view base, absl::string_view prefix);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path);

  const std::string path_;
};

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_TEMPORARY_FOLDER_H_
