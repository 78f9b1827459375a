// Switches the power of lost devices off and on by a command of the operator's:
//
//   COMMAND DEVICE_ID DEVICE_CLASS ATTEMPT
//
// Commands run one after the other on a thread of their own; one that takes too long is killed. Thread-safe.
#ifndef TUNEFLEET_TRACKER_POWER_SWITCH_H_
#define TUNEFLEET_TRACKER_POWER_SWITCH_H_

#include <string>

#include "absl/time/time.h"
#include "tracker/core/event.h"
#include "tracker/service/serial_executor.h"

namespace tunefleet::tracker {

class PowerSwitch {
 public:
  explicit PowerSwitch(std::string command, absl::Duration timeout = absl::Minutes(1))
      : command_(std::move(command)), timeout_(timeout) {}

  // Returns at once; what came of the command is logged.
  void Cycle(const PowerCycle& cycle);

 private:
  void Run(const PowerCycle& cycle) const;

  const std::string command_;
  const absl::Duration timeout_;
  SerialExecutor executor_;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_POWER_SWITCH_H_
