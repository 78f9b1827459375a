// The agent as a service: from its first connection until a signal, a broken lifeline or a new version ends it.
//
//   SIGTERM, SIGINT           drain: running trials are finished, their results delivered, or kept on disk when the
//   tracker
//                             is not there; a second one ends at once
//   SIGHUP, a replaced file   drain, and then be started anew from the program's file (with a lifeline: only drain)
//   lifeline                  end at once: who embeds the agent is gone
#ifndef TUNEFLEET_DEVICE_SERVER_SERVE_H_
#define TUNEFLEET_DEVICE_SERVER_SERVE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "device_server/measure/trial_runner.h"
#include "device_server/options.h"
#include "device_server/program_file.h"
#include "proto/fleet.pb.h"

namespace tunefleet::device {

struct ServedDevice {
  v1::Device device;
  std::vector<uint16_t> cores;
  std::unique_ptr<TrialRunner> runner;
};

// Blocks the signals that Serve reads, in every thread started later; gives a descriptor that they come from.
int OpenSignals();

enum class Ending { kDone, kStartAnew };

// Serves and returns when nothing of the agent is left but this thread. Errors: those of ResultJournal::Open.
absl::StatusOr<Ending> Serve(const CommandLine& line, const std::string& version,
                             const std::vector<ServedDevice>& devices, int signals, ProgramFile* program);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_SERVE_H_
