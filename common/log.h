// Log set-up: one line per event on standard error, so that standard output stays for results.
#ifndef TUNEFLEET_COMMON_LOG_H_
#define TUNEFLEET_COMMON_LOG_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tunefleet::common {

// Sets spdlog's default logger: "2026-01-31T12:00:00.123Z program info message". `level` is one of trace, debug, info,
// warning, error, off. Call once, in main. Errors: INVALID_ARGUMENT for another level.
absl::Status SetUpLog(absl::string_view program, absl::string_view level);

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_LOG_H_
