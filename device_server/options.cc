#include "device_server/options.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/fleet/tracker_connection.h"

namespace tunefleet::device {
namespace {

absl::Status Wrong(absl::string_view name, absl::string_view value, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("--", name, "=", value, ": expected ", expected));
}

// Names that the tracker keeps and people type.
bool IsName(absl::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
  });
}

absl::Status SetName(absl::string_view name, const std::string& value, std::string* target) {
  if (!IsName(value)) return Wrong(name, value, "1 to 64 characters of A-Z a-z 0-9 _ . -");
  *target = value;
  return absl::OkStatus();
}

absl::Status SetPath(absl::string_view name, const std::string& value, std::string* target) {
  if (!absl::StartsWith(value, "/")) return Wrong(name, value, "an absolute path");
  *target = value;
  return absl::OkStatus();
}

template <typename T>
absl::Status SetNumber(absl::string_view name, const std::string& value, T least, T most, T* target) {
  T number = 0;
  if (!absl::SimpleAtoi(value, &number) || number < least || number > most) {
    return Wrong(name, value, absl::StrCat("a number from ", least, " to ", most));
  }
  *target = number;
  return absl::OkStatus();
}

// CORES[:CLASS[:ID]]
absl::Status AddDevice(absl::string_view name, const std::string& value, CommandLine* line) {
  const std::vector<std::string> parts = absl::StrSplit(value, ':');
  absl::StatusOr<std::vector<uint16_t>> cores = ParseCpuList(parts[0]);
  if (!cores.ok() || parts.size() > 3) return Wrong(name, value, "CORES[:CLASS[:ID]] like 4-5:big");
  CommandLine::Also also{*std::move(cores), "", ""};
  if (parts.size() > 1 && !parts[1].empty()) TF_RETURN_IF_ERROR(SetName(name, parts[1], &also.device_class));
  if (parts.size() > 2) TF_RETURN_IF_ERROR(SetName(name, parts[2], &also.device_id));
  line->also.push_back(std::move(also));
  return absl::OkStatus();
}

absl::Status SetOption(absl::string_view name, const std::string& value, CommandLine* line) {
  if (name == "tracker") {
    line->tracker = value;
    return CheckTrackerAddress(value);
  }
  if (name == "class") return SetName(name, value, &line->device_class);
  if (name == "id") return SetName(name, value, &line->device_id);
  if (name == "cores") {
    absl::StatusOr<std::vector<uint16_t>> cores = ParseCpuList(value);
    if (!cores.ok()) return Wrong(name, value, "a list of cores like 1 or 0,2-3");
    line->cores = *std::move(cores);
    return absl::OkStatus();
  }
  if (name == "also") return AddDevice(name, value, line);
  if (name == "state") return SetPath(name, value, &line->state);
  if (name == "sys-root") return SetPath(name, value, &line->sys_root);
  if (name == "threads") return SetNumber<uint32_t>(name, value, 1, 256, &line->threads);
  if (name == "cache-mib") return SetNumber<uint64_t>(name, value, 1, 1 << 20, &line->cache_mib);
  if (name == "lifeline-fd") return SetNumber<int>(name, value, 0, 1 << 20, &line->lifeline_fd);
  if (name == "remove-dir-at-exit") return SetPath(name, value, &line->remove_dir_at_exit);
  if (name == "turns") return SetPath(name, value, &line->turns_file);
  if (name == "require-sandbox") {
    if (value != "full") return Wrong(name, value, "full");
    line->require_sandbox = value;
    return absl::OkStatus();
  }
  if (name == "worker") {
    const std::optional<WorkerLifetime> lifetime = ParseLifetime(value);
    if (!lifetime) return Wrong(name, value, "candidate or persistent");
    line->worker = *lifetime;
    return absl::OkStatus();
  }
  if (name == "log-level") {
    line->log_level = value;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("unknown option --", name, "; see tunefleet-device --help"));
}

// Options without a value.
bool SetSwitch(absl::string_view name, CommandLine* line) {
  if (name == "help") {
    line->mode = CommandLine::Mode::kHelp;
  } else if (name == "version") {
    line->mode = CommandLine::Mode::kVersion;
  } else if (name == "list") {
    line->mode = CommandLine::Mode::kList;
  } else if (name == "self-test") {
    line->mode = CommandLine::Mode::kSelfTest;
  } else if (name == "json") {
    line->json = true;
  } else {
    return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments) {
  CommandLine line;
  for (size_t i = 0; i < arguments.size(); ++i) {
    absl::string_view rest = arguments[i];
    if (!absl::ConsumePrefix(&rest, "--") || rest.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", arguments[i], "' is no option; options look like --name=value, see tunefleet-device --help"));
    }
    const std::pair<std::string, std::string> parts = absl::StrSplit(rest, absl::MaxSplits('=', 1));
    const bool has_value = absl::StrContains(rest, '=');
    if (!has_value && SetSwitch(parts.first, &line)) {
      if (line.mode == CommandLine::Mode::kHelp) return line;
      continue;
    }
    // Both --name=value and --name value.
    std::string value = parts.second;
    if (!has_value && i + 1 < arguments.size() && !absl::StartsWith(arguments[i + 1], "--")) value = arguments[++i];
    TF_RETURN_IF_ERROR(SetOption(parts.first, value, &line));
  }
  if (line.mode == CommandLine::Mode::kServe && line.tracker.empty()) {
    return absl::InvalidArgumentError(
        "--tracker=HOST:PORT or --tracker=unix:PATH is needed (or --list, --self-test); see --help");
  }
  return line;
}

std::string HelpText() {
  return R"(tunefleet-device: offers this machine's cores to a tracker and times kernels on them, in confined processes.

  tunefleet-device --tracker=HOST:PORT|unix:PATH [options]
  tunefleet-device --list [--json]
  tunefleet-device --self-test [--json]

  --tracker=ADDRESS        where the tracker listens; an unreachable one is tried for ever
  --class=NAME             what devices of this kind are called, e.g. rk3399 (default: architecture and processor)
  --id=NAME                this device's name, unique in the fleet (default: host name and cores)
  --cores=LIST             the cores that kernels run on, e.g. 1 or 0,2-3 (default: the last --threads cores; where the
                           machine has cores of several kinds, one device for each kind, on the last --threads of it)
  --also=CORES[:CLASS[:ID]] another device of this agent, e.g. --cores=0-3 --also=4-5:big; may be repeated
  --state=DIR              where results wait on disk for a tracker that cannot be reached (default: in memory alone)
  --threads=N              threads that a kernel may use (default: as many as --cores names, or 1)
  --cache-mib=N            memory for what the tracker sends (artifacts, references), again for inputs that are made
                           here, and again for references that are computed here (default: 1024)
  --require-sandbox=full   refuse to run where a measure of the sandbox is missing
  --worker=LIFETIME        candidate: every kernel has a process of its own (default); persistent: one process takes
                           kernel after kernel until one of them fails, for devices whose start-up is dear
  --log-level=LEVEL        trace, debug, info, warning, error, off (default: info)
  --list                   print what this machine offers and end; --json prints it as JSON
  --self-test              measure kernels of known behaviour and say whether timings of this machine can be trusted,
                           for each device in turn; exit status 0: yes, of all; 1: no
  --lifeline-fd=N          end at once when this pipe closes
  --sys-root=DIR           learn about cores and caches from DIR/sys instead of /sys (for tests)
  --turns=FILE             take turns with the builders that share the cores and this file
  --remove-dir-at-exit=DIR remove this directory at the end
  --version, --help

Examples:
  tunefleet-device --tracker=build-host:9190
  tunefleet-device --tracker=10.0.0.5:9190 --class=rk3399 --id=board-7 --cores=4-5
  tunefleet-device --list
  tunefleet-device --self-test --cores=1

SIGTERM and SIGINT drain: running trials are finished and their results delivered (or kept in --state); a second one
ends at once. SIGHUP, or another version in the place of this program's file, drains and starts anew from that file.
Under systemd (Type=notify, WatchdogSec=): says when it is ready, and that it is well.
)";
}

}  // namespace tunefleet::device
