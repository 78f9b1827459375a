// The command line of tunefleet-device. Pure.
#ifndef TUNEFLEET_DEVICE_SERVER_OPTIONS_H_
#define TUNEFLEET_DEVICE_SERVER_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "device_server/measure/worker_life.h"

namespace tunefleet::device {

struct CommandLine {
  enum class Mode { kServe, kList, kSelfTest, kHelp, kVersion };
  Mode mode = Mode::kServe;
  std::string tracker;
  std::string device_class;     // empty: from the processor
  std::string device_id;        // empty: from host and cores
  std::vector<uint16_t> cores;  // empty: see device_plan.h
  uint32_t threads = 0;         // 0: as many as cores are named, or 1
  struct Also {
    std::vector<uint16_t> cores;
    std::string device_class;  // empty as above
    std::string device_id;
  };
  std::vector<Also> also;       // more devices of this agent; their kernels may use a thread for each core
  std::string state;            // where results wait for their acknowledgement; empty: in memory alone
  uint64_t cache_mib = 1024;    // for blobs, again for inputs, and again for references made here
  std::string require_sandbox;  // "full" or empty
  WorkerLifetime worker = WorkerLifetime::kCandidate;
  std::string log_level = "info";
  bool json = false;
  int lifeline_fd = -1;
  std::string remove_dir_at_exit;
  std::string turns_file;
  std::string sys_root;  // stands before /sys where the machine is described
};

// `arguments` without the program's name. Errors: INVALID_ARGUMENT, one line: what was wrong and what would be right.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments);

// What --help prints.
std::string HelpText();

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_OPTIONS_H_
