#include "device_server/program_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tunefleet::device {

ProgramFile::ProgramFile(std::string path) : path_(std::move(path)), first_(Look()), last_(first_) {}

ProgramFile::Identity ProgramFile::Look() const {
  struct stat info {};
  if (stat(path_.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0 ||
      access(path_.c_str(), X_OK) != 0) {
    return {};  // between two versions
  }
  return {info.st_dev, info.st_ino, info.st_size, int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

bool ProgramFile::Replaced() {
  const Identity previous = std::exchange(last_, Look());
  return last_ != first_ && last_ != Identity{} && last_ == previous;
}

absl::Status ProgramFile::StartAnew(char** arguments) const {
  execv(path_.c_str(), arguments);
  return absl::UnavailableError(absl::StrCat("start ", path_, " anew: ", strerror(errno)));
}

}  // namespace tunefleet::device
