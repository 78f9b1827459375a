// Which failed calls are worth repeating.
#ifndef TUNEFLEET_COMMON_TRANSIENT_H_
#define TUNEFLEET_COMMON_TRANSIENT_H_

#include "absl/status/status.h"

namespace tunefleet::common {

// The other side is away or busy: the same call can succeed later, however much later.
bool IsTransient(const absl::Status& status);

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_TRANSIENT_H_
