// Abstract Unix socket addresses as names that processes of one machine (one network namespace) hold: a name exists
// while its socket is open, leaves no file, and goes with its process. Linux; elsewhere nobody holds one.
#ifndef TUNEFLEET_COMMON_ABSTRACT_NAME_H_
#define TUNEFLEET_COMMON_ABSTRACT_NAME_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tunefleet::common {

// Takes the name, of at most 107 bytes. The socket that holds it, which the caller closes and programs that it runs do
// not get; -1 and errno when it cannot (EADDRINUSE: another holds it).
int HoldAbstractName(absl::string_view name);

// What follows `prefix` in the names that begin with it, in no order.
std::vector<std::string> HeldAbstractNames(absl::string_view prefix);

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_ABSTRACT_NAME_H_
