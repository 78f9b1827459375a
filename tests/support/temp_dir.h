// A directory of one test, gone at its end.
#ifndef TUNEFLEET_TESTS_SUPPORT_TEMP_DIR_H_
#define TUNEFLEET_TESTS_SUPPORT_TEMP_DIR_H_

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "common/check.h"

namespace tunefleet {

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "tunefleet-XXXXXX").string();
    TF_CHECK(mkdtemp(name.data()) != nullptr, "mkdtemp");
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace tunefleet

#endif  // TUNEFLEET_TESTS_SUPPORT_TEMP_DIR_H_
