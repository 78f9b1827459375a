// What commands are made of: main() picks the implementations, tests pick their own.
#ifndef TUNEFLEET_TUNER_COMMANDS_PARTS_H_
#define TUNEFLEET_TUNER_COMMANDS_PARTS_H_

#include <cstdio>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "proto/fleet.pb.h"
#include "tuner/database/sqlite_database.h"
#include "tuner/fleet/embedded_fleet.h"
#include "tuner/fleet/tracker_runner.h"
#include "tuner/pipeline/builder.h"
#include "tuner/search/strategies.h"

namespace tunefleet::tuner {

struct Parts {
  std::function<absl::StatusOr<std::unique_ptr<Database>>(const std::string& path, DatabaseAccess access)>
      open_database;
  // `count` builders that run on `cores` (empty: anywhere), in turns with a device on the same cores (`turns_file`;
  // empty: there is none).
  std::function<absl::StatusOr<std::unique_ptr<Builder>>(int count, const std::vector<int>& cores,
                                                         const std::string& turns_file)>
      start_builders;
  // The agent's program is found here.
  std::function<absl::StatusOr<std::unique_ptr<EmbeddedFleet>>(EmbeddedFleetOptions options, std::stop_token stop)>
      start_fleet;
  std::function<absl::StatusOr<std::unique_ptr<Runner>>(const TrackerRunnerOptions& options)> connect_runner;
  std::function<absl::StatusOr<v1::ListDevicesResponse>(const std::string& address)> list_devices;
  std::function<absl::StatusOr<v1::ListJobsResponse>(const std::string& address)> list_jobs;
  std::function<absl::StatusOr<v1::ProbeDeviceResponse>(const std::string& address, const std::string& device_id)>
      probe_device;
  std::vector<std::string> strategies;  // names, the default first
  // `name` is one of `strategies`.
  std::function<std::unique_ptr<SearchStrategy>(const std::string& name, Spaces spaces, const AutoTvmOptions& options)>
      make_strategy;
  std::function<absl::StatusOr<v1::Target>(const std::string& text)> parse_target;
  const common::Clock* clock = &common::MonotonicClock();
};

// How a command ended, as an exit status.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;         // it was done, and there is no valid kernel
inline constexpr int kExitBadInput = 2;       // or a bad environment: one line on standard error says what
inline constexpr int kExitInterrupted = 130;  // stopped by a signal; the same command continues

// Where a command writes and what it runs with. `stop` is requested by SIGINT and SIGTERM.
struct CommandContext {
  const Parts* parts;
  std::FILE* out;
  std::FILE* err;
  std::stop_token stop;
};

// The one line on standard error; returns kExitBadInput.
int Complain(const CommandContext& context, const absl::Status& status);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_PARTS_H_
