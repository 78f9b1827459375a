// A whole tracker in one object: store, blobs, core, services. The daemon runs one, and so does a tuner without a fleet
// (behind a Unix socket).
//
// Thread-safe. The state directory holds
//   lock         the process that serves it
//   tracker.db   jobs, trials, leases, results (store/database.h)
//   blobs/       artifacts and references (blobs/blob_store.h)
#ifndef TUNEFLEET_TRACKER_TRACKER_SERVER_H_
#define TUNEFLEET_TRACKER_TRACKER_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "tracker/core/event.h"
#include "tracker/core/settings.h"

namespace tunefleet::tracker {

class TrackerServer {
 public:
  struct Options {
    std::string listen = "127.0.0.1:9190";  // host:port on loopback (port 0: any free one), or unix:/path
    std::string state_directory;            // made where it is not there
    Settings settings;                      // wall_offset is set by Start
    uint64_t max_blob_bytes = uint64_t{8} << 30;
    // A peer that says nothing is asked this often, and given this long to answer.
    absl::Duration keepalive = absl::Seconds(3);
    absl::Duration tick = absl::Milliseconds(100);
    const common::Clock* clock = &common::MonotonicClock();
    // Called once, on a thread of the server, when its store fails (a full disk): it serves nobody any more, and the
    // owner should end it. Must not destroy the server.
    std::function<void(const absl::Status&)> on_failure = [](const absl::Status&) {};
    // Called on a thread of the server where settings.power_cycle_after is finite; must not block.
    std::function<void(const PowerCycle&)> power_cycle = [](const PowerCycle&) {};
  };

  // Serves from its return on. Errors, each naming what is wrong: INVALID_ARGUMENT and PERMISSION_DENIED for the listen
  // address, ALREADY_EXISTS for one in use, FAILED_PRECONDITION for a state directory in use, DATA_LOSS for a corrupt
  // database, others for a directory that cannot be written.
  static absl::StatusOr<std::unique_ptr<TrackerServer>> Start(const Options& options);
  // Shuts down.
  virtual ~TrackerServer() = default;

  // What to dial: the listen address with the bound port.
  virtual std::string address() const = 0;
  // 0 behind a Unix socket.
  virtual int port() const = 0;

  // Ends every stream with UNAVAILABLE, answers the calls under way, cuts them off after the deadline, stores what was
  // decided. May be called again.
  virtual void Shutdown(absl::Duration deadline = absl::Seconds(5)) = 0;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_TRACKER_SERVER_H_
