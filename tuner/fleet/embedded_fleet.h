// EmbeddedFleet: a tracker inside this process, behind a Unix socket that only this user can reach, and one device
// agent (an exec'd tunefleet-device) on cores of its own.
//
//   /tmp/tunefleet-XXXXXX/   0700, holds the socket; the agent removes it when it ends, so that nothing is left even
//                            when this process is killed
//   RECORDS.tracker/         the tracker's state, beside the records, under an exclusive lock; removed at a clean end
//                            when every result is acknowledged
//
// The agent holds the reading end of a lifeline pipe and ends when this process does. An agent that dies is started
// again, a few times.
#ifndef TUNEFLEET_TUNER_FLEET_EMBEDDED_FLEET_H_
#define TUNEFLEET_TUNER_FLEET_EMBEDDED_FLEET_H_

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tunefleet::tuner {

struct EmbeddedFleetOptions {
  std::string agent_program;  // path of tunefleet-device
  std::string records;        // path of the record database
  bool new_records = false;   // the records were made just now: state of earlier ones of that name is dropped
  std::vector<int> device_cores;
  std::vector<int> agent_cores;  // all that the agent may use: the device's, and others for its own threads
  bool take_turns = false;       // builders run on the device's cores: timing takes turns with them (common/turns.h)
  absl::Duration start_timeout = absl::Seconds(30);  // for the device to register
};

// Thread-safe.
class EmbeddedFleet {
 public:
  // Returns when the device is registered. Errors: FAILED_PRECONDITION (another process works on these records),
  // UNAVAILABLE (the agent ended or did not register: with its last words), CANCELLED (`stop`), and those of
  // TrackerServer::Start.
  static absl::StatusOr<std::unique_ptr<EmbeddedFleet>> Start(const EmbeddedFleetOptions& options,
                                                              std::stop_token stop = {});
  // Ends agent and tracker and removes what they left.
  virtual ~EmbeddedFleet() = default;

  // What a Runner dials.
  virtual std::string address() const = 0;
  // For the builders; empty unless turns are taken.
  virtual std::string turns_file() const = 0;
  // Why nothing can be measured any more, an agent that is gone or a tracker that cannot store; OK while it can.
  virtual absl::Status Health() const = 0;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_FLEET_EMBEDDED_FLEET_H_
