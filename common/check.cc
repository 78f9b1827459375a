#include "common/check.h"

#include <cstdio>
#include <cstdlib>

namespace tunefleet::common {

void CheckFailed(const char* file, int line, const char* condition, absl::string_view message) {
  std::fprintf(stderr, "%s:%d: check failed: %s: %.*s\n", file, line, condition, static_cast<int>(message.size()),
               message.data());
  std::abort();
}

}  // namespace tunefleet::common
