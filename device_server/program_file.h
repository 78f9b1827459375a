// The file that this program was started from: whether it was replaced meanwhile, and how to start anew from it. In a
// bundle (deploy/launcher.c) it is a launcher, bin/NAME, and what it starts is programs/NAME beside its folder: another
// one there is another version as well. Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_PROGRAM_FILE_H_
#define TUNEFLEET_DEVICE_SERVER_PROGRAM_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace tunefleet::device {

class ProgramFile {
 public:
  // Remembers what the file is now, and in a bundle the program behind it.
  explicit ProgramFile(std::string path);

  const std::string& path() const { return path_; }

  // True when there is another executable file in the place of either, and was the last time too: so none that is being
  // written.
  bool Replaced();

  // Runs what is there now in place of this process, which has no thread but the caller. Returns only on error:
  // UNAVAILABLE.
  absl::Status StartAnew(char** arguments) const;

 private:
  struct Identity {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t bytes = 0;
    int64_t changed_ns = 0;
    bool operator==(const Identity&) const = default;
  };
  static Identity Look(const std::string& path);
  std::vector<Identity> LookAtAll() const;

  std::string path_;
  std::vector<std::string> watched_;
  std::vector<Identity> first_;  // of each
  std::vector<Identity> last_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_PROGRAM_FILE_H_
