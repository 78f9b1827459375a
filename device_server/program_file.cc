#include "device_server/program_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tunefleet::device {

ProgramFile::ProgramFile(std::string path) : path_(std::move(path)), watched_({path_}) {
  const std::filesystem::path launcher(path_);
  const std::string behind = launcher.parent_path().parent_path() / "programs" / launcher.filename();
  if (Look(behind) != Identity{}) watched_.push_back(behind);
  first_ = last_ = LookAtAll();
}

ProgramFile::Identity ProgramFile::Look(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0 ||
      access(path.c_str(), X_OK) != 0) {
    return {};  // between two versions
  }
  return {info.st_dev, info.st_ino, info.st_size, int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

std::vector<ProgramFile::Identity> ProgramFile::LookAtAll() const {
  std::vector<Identity> identities;
  for (const std::string& path : watched_) identities.push_back(Look(path));
  return identities;
}

bool ProgramFile::Replaced() {
  const std::vector<Identity> previous = std::exchange(last_, LookAtAll());
  const bool whole = std::find(last_.begin(), last_.end(), Identity{}) == last_.end();
  return last_ != first_ && whole && last_ == previous;
}

absl::Status ProgramFile::StartAnew(char** arguments) const {
  execv(path_.c_str(), arguments);
  return absl::UnavailableError(absl::StrCat("start ", path_, " anew: ", strerror(errno)));
}

}  // namespace tunefleet::device
