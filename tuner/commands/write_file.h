// Files that commands leave behind.
#ifndef TUNEFLEET_TUNER_COMMANDS_WRITE_FILE_H_
#define TUNEFLEET_TUNER_COMMANDS_WRITE_FILE_H_

#include <filesystem>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tunefleet::tuner {

// Written beside its place and moved there, so that nobody sees half a file. Errors: FAILED_PRECONDITION.
absl::Status WriteFile(const std::filesystem::path& path, absl::string_view content);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_WRITE_FILE_H_
