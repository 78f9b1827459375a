// tunefleet-tracker: the tracker as a daemon. Flags in, one line with the bound address out, SIGTERM or SIGINT ends it.
// Exit status: 0 after a clean end, 2 with one line that says what is wrong.
#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "tracker/tracker_server.h"

ABSL_FLAG(std::string, listen, "127.0.0.1:9190",
          "where to serve: host:port on loopback (port 0 picks a free one) or unix:/path");
ABSL_FLAG(std::string, state, "", "directory that holds all the tracker knows; made where it is not there");
ABSL_FLAG(std::string, log_level, "info", "trace, debug, info, warning, error or off");
ABSL_FLAG(std::string, port_file, "", "file to write the bound port to, once it serves");
ABSL_FLAG(absl::Duration, grace, absl::Seconds(15),
          "how long the leases of an agent that cannot be reached are kept for it");
ABSL_FLAG(int64_t, max_blob_mib, 8192, "size of the artifact store in MiB");

namespace tunefleet::tracker {
namespace {

constexpr char kUsage[] = R"(the tracker of a tunefleet: queues trials, leases them to devices, keeps the results.

  tunefleet-tracker --listen=127.0.0.1:9190 --state=DIR
  tunefleet-tracker --listen=127.0.0.1:0 --state=DIR --port-file=port.txt
  tunefleet-tracker --listen=unix:/run/tunefleet/tracker.sock --state=DIR

Agents and clients dial the address: tunefleet-device --tracker=127.0.0.1:9190, tunefleet tune --tracker=127.0.0.1:9190.
SIGTERM or SIGINT ends it cleanly; killed in any other way, it loses nothing that it has acknowledged.)";

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

// Flags are written with dashes; Abseil knows them with underscores.
std::vector<std::string> WithUnderscores(int argc, char** argv) {
  std::vector<std::string> arguments(argv, argv + argc);
  for (std::string& argument : arguments) {
    if (!absl::StartsWith(argument, "--")) continue;
    for (size_t i = 2; i < argument.size() && argument[i] != '='; ++i) {
      if (argument[i] == '-') argument[i] = '_';
    }
  }
  return arguments;
}

}  // namespace
}  // namespace tunefleet::tracker

int main(int argc, char** argv) {
  using tunefleet::tracker::WithUnderscores;
  absl::SetProgramUsageMessage(tunefleet::tracker::kUsage);
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = [](absl::string_view file) { return absl::EndsWith(file, "tracker/main.cc"); };
  usage.contains_helpshort_flags = usage.contains_help_flags;
  usage.contains_helppackage_flags = usage.contains_help_flags;
  usage.version_string = [] { return std::string("tunefleet-tracker " TUNEFLEET_VERSION "\n"); };
  absl::SetFlagsUsageConfig(usage);

  std::vector<std::string> arguments = WithUnderscores(argc, argv);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  const std::vector<char*> rest = absl::ParseCommandLine(static_cast<int>(pointers.size()), pointers.data());
  absl::Status status;
  if (rest.size() > 1) {
    status = absl::InvalidArgumentError(absl::StrCat("unexpected argument '", rest[1], "': see --help"));
  } else {
    status = tunefleet::tracker::Serve();
  }
  if (status.ok()) return 0;
  std::cerr << "tunefleet-tracker: " << std::string(status.message()) << std::endl;
  return 2;
}
