// What a daemon tells the service manager that started it (systemd's protocol, sd_notify(3)): datagrams of NAME=VALUE
// lines to the socket named by NOTIFY_SOCKET.
#ifndef TUNEFLEET_COMMON_SERVICE_MANAGER_H_
#define TUNEFLEET_COMMON_SERVICE_MANAGER_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tunefleet::common {

// E.g. "READY=1", "STOPPING=1", "WATCHDOG=1". OK when nobody wants to know. Errors: UNAVAILABLE.
absl::Status TellServiceManager(absl::string_view state);

// How often "WATCHDOG=1" should be said: half of what WATCHDOG_USEC allows; infinite when this process is not watched.
absl::Duration WatchdogInterval();

}  // namespace tunefleet::common

#endif  // TUNEFLEET_COMMON_SERVICE_MANAGER_H_
