// tunefleet-tracker: the tracker as a daemon. Flags in, one line with the bound address out, SIGTERM or SIGINT ends it.
// Exit status: 0 after a clean end, 2 with one line that says what is wrong.
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "tracker/power_switch.h"
#include "tracker/tracker_server.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:9190", "");
ABSL_FLAG(std::string, state, "", "");
ABSL_FLAG(std::string, log_level, "info", "");
ABSL_FLAG(std::string, port_file, "", "");
ABSL_FLAG(absl::Duration, grace, absl::Seconds(15), "");
ABSL_FLAG(int64_t, max_blob_mib, 8192, "");
ABSL_FLAG(std::string, power_cycle_command, "", "");
ABSL_FLAG(absl::Duration, power_cycle_after, absl::Minutes(5), "");

namespace tunefleet::tracker {
namespace {

constexpr char kUsage[] = R"(tunefleet-tracker: queues trials, leases them to devices, keeps the results.

  tunefleet-tracker --listen=127.0.0.1:9190 --state=DIR
  tunefleet-tracker --listen=127.0.0.1:0 --state=DIR --port-file=port.txt
  tunefleet-tracker --listen=unix:/run/tunefleet/tracker.sock --state=DIR

Agents and clients dial the address: tunefleet-device --tracker=127.0.0.1:9190, tunefleet tune --tracker=127.0.0.1:9190.
SIGTERM or SIGINT ends it cleanly; killed in any other way, it loses nothing that it has acknowledged.

  --listen=ADDRESS    host:port on loopback (port 0 picks a free one) or unix:/path; default 127.0.0.1:9190
  --state=DIR         holds all that the tracker knows; made where it is not there; required
  --port-file=FILE    written with the bound port, once it serves
  --grace=DURATION    how long the leases of an agent that cannot be reached are kept for it; default 15s
  --max-blob-mib=N    size of the artifact store in MiB; default 8192
  --power-cycle-command=PROGRAM
                      run as PROGRAM DEVICE CLASS ATTEMPT when a device that was not drained stays lost; again after
                      twice as long, and so on up to 6h; one device at a time, at least 10s apart
  --power-cycle-after=DURATION
                      how long a device is lost before that; default 5m
  --log-level=LEVEL   trace, debug, info, warning, error or off; default info
  --help, --version
)";

// The signals that end the daemon, blocked in every thread and waited for in this one.
sigset_t EndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// Whole or not at all, so that a watcher of the file never reads half a number.
absl::Status WritePortFile(const std::string& path, int port) {
  const std::string partial = absl::StrCat(path, ".", getpid());
  std::ofstream file(partial);
  file << port << "\n";
  file.close();
  if (!file || std::rename(partial.c_str(), path.c_str()) != 0) {
    return absl::UnknownError(absl::StrCat("cannot write the port file ", path));
  }
  return absl::OkStatus();
}

absl::Status Serve() {
  TF_RETURN_IF_ERROR(common::SetUpLog("tracker", absl::GetFlag(FLAGS_log_level)));
  if (absl::GetFlag(FLAGS_state).empty()) {
    return absl::InvalidArgumentError("--state=DIR is missing: the directory that holds all the tracker knows");
  }
  if (absl::GetFlag(FLAGS_grace) < absl::ZeroDuration() || absl::GetFlag(FLAGS_max_blob_mib) < 1) {
    return absl::InvalidArgumentError("--grace must be 0s or more and --max-blob-mib at least 1");
  }
  const std::string power_cycle_command = absl::GetFlag(FLAGS_power_cycle_command);
  if (!power_cycle_command.empty() && access(power_cycle_command.c_str(), X_OK) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("--power-cycle-command=", power_cycle_command, ": expected the path of a program"));
  }
  if (absl::GetFlag(FLAGS_power_cycle_after) < absl::Seconds(1)) {
    return absl::InvalidArgumentError("--power-cycle-after must be 1s or more");
  }
  const sigset_t signals = EndSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // before any thread starts

  absl::Status failure;
  TrackerServer::Options options;
  options.listen = absl::GetFlag(FLAGS_listen);
  options.state_directory = absl::GetFlag(FLAGS_state);
  options.settings.grace = absl::GetFlag(FLAGS_grace);
  options.max_blob_bytes = static_cast<uint64_t>(absl::GetFlag(FLAGS_max_blob_mib)) << 20;
  options.on_failure = [&failure](const absl::Status& status) {
    failure = status;  // read after the signal
    kill(getpid(), SIGTERM);
  };
  PowerSwitch power_switch(power_cycle_command);
  if (!power_cycle_command.empty()) {
    options.settings.power_cycle_after = absl::GetFlag(FLAGS_power_cycle_after);
    options.power_cycle = [&power_switch](const PowerCycle& cycle) { power_switch.Cycle(cycle); };
  }
  TF_ASSIGN_OR_RETURN(const std::unique_ptr<TrackerServer> server, TrackerServer::Start(options));
  if (const std::string path = absl::GetFlag(FLAGS_port_file); !path.empty()) {
    TF_RETURN_IF_ERROR(WritePortFile(path, server->port()));
  }
  std::cout << "tunefleet-tracker listening on " << server->address() << std::endl;

  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("ending: {}", strsignal(signal));
  server->Shutdown();
  return failure;
}

// Sets the flags from "--name=value" and "--name value"; dashes and underscores in names are the same.
absl::Status ParseFlags(const std::vector<std::string>& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view rest = arguments[i];
    if (!absl::ConsumePrefix(&rest, "--")) {
      return absl::InvalidArgumentError(absl::StrCat("unexpected argument '", arguments[i], "'; see --help"));
    }
    const size_t equals = rest.find('=');
    const std::string name = absl::StrReplaceAll(rest.substr(0, equals), {{"-", "_"}});
    absl::CommandLineFlag* flag = absl::FindCommandLineFlag(name);
    if (flag == nullptr) return absl::InvalidArgumentError(absl::StrCat("unknown flag --", name, "; see --help"));
    if (equals == absl::string_view::npos && i + 1 == arguments.size()) {
      return absl::InvalidArgumentError(absl::StrCat("--", name, " needs a value; see --help"));
    }
    const absl::string_view value = equals == absl::string_view::npos ? arguments[++i] : rest.substr(equals + 1);
    if (std::string error; !flag->ParseFrom(value, &error)) {
      return absl::InvalidArgumentError(absl::StrCat("--", name, "='", value, "' cannot be read; see --help"));
    }
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace tunefleet::tracker

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (std::find(arguments.begin(), arguments.end(), "--help") != arguments.end()) {
    std::cout << tunefleet::tracker::kUsage;
    return 0;
  }
  if (std::find(arguments.begin(), arguments.end(), "--version") != arguments.end()) {
    std::cout << "tunefleet-tracker " TUNEFLEET_VERSION "\n";
    return 0;
  }
  absl::Status status = tunefleet::tracker::ParseFlags(arguments);
  if (status.ok()) status = tunefleet::tracker::Serve();
  if (status.ok()) return 0;
  std::cerr << "tunefleet-tracker: " << std::string(status.message()) << std::endl;
  return 2;
}
