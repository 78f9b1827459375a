// TF_CHECK ends the process with a message. For our own bugs; never for input, network, files or devices.
#ifndef TUNEFLEET_COMMON_CHECK_H_
#define TUNEFLEET_COMMON_CHECK_H_

#include "absl/strings/string_view.h"

namespace tunefleet::common {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, absl::string_view message);

}  // namespace tunefleet::common

#define TF_CHECK(condition, message) \
  (static_cast<bool>(condition) ? void(0) : ::tunefleet::common::CheckFailed(__FILE__, __LINE__, #condition, message))

#endif  // TUNEFLEET_COMMON_CHECK_H_
