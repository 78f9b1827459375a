// Where the tracker listens: "host:port" (port 0: any free one) or "unix:/path".
#ifndef TUNEFLEET_TRACKER_LISTEN_ADDRESS_H_
#define TUNEFLEET_TRACKER_LISTEN_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tunefleet::tracker {

struct ListenAddress {
  std::string host;  // without brackets; empty for a Unix socket
  uint16_t port = 0;
  std::string unix_path;  // empty for a port

  bool is_unix() const { return !unix_path.empty(); }
  // As it was written, with this port.
  std::string WithPort(int bound_port) const;
};

// Errors: INVALID_ARGUMENT for another form, a port over 65535, a socket path too long for the system;
// PERMISSION_DENIED for a host other than loopback, which needs TLS.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

// Tries the address for a moment. Errors: ALREADY_EXISTS naming a port (or socket) that is in use, INVALID_ARGUMENT for
// a host that cannot be resolved, others of bind(2).
absl::Status CheckBindable(const ListenAddress& address);

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_LISTEN_ADDRESS_H_
