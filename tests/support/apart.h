// A function of the test in a process of its own, for what may crash.
#ifndef TUNEFLEET_TESTS_SUPPORT_APART_H_
#define TUNEFLEET_TESTS_SUPPORT_APART_H_

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace tunefleet::testing {

// What `function` returned, called in a fork of this process, which has no other thread. Errors: ABORTED (the process
// crashed: how it ended).
absl::StatusOr<std::string> Apart(absl::FunctionRef<std::string()> function);

}  // namespace tunefleet::testing

#endif  // TUNEFLEET_TESTS_SUPPORT_APART_H_
