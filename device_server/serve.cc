#include "device_server/serve.h"

#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/reserved_cores.h"
#include "common/service_manager.h"
#include "common/status_macros.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/fleet/agent.h"
#include "device_server/fleet/result_journal.h"

namespace tunefleet::device {
namespace {

constexpr absl::Duration kDrainTimeout = absl::Seconds(30);
constexpr absl::Duration kGlance = absl::Milliseconds(20);
constexpr absl::Duration kProgramGlance = absl::Seconds(1);
constexpr unsigned kLastResortSeconds = 5;

// Removes the directory that the embedding program asked for, however the agent ends (but for SIGKILL).
class DirectoryRemover {
 public:
  explicit DirectoryRemover(std::string directory) : directory_(std::move(directory)) {}
  ~DirectoryRemover() { Remove(); }
  void Remove() const {
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }

 private:
  const std::string directory_;
};

void Tell(absl::string_view state) {
  const absl::Status status = common::TellServiceManager(state);
  if (!status.ok()) spdlog::warn("{}", std::string(status.message()));
}

// A start anew is a reload: the next READY=1 comes from the program that starts.
void TellReloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  Tell(absl::StrCat("RELOADING=1\nMONOTONIC_USEC=", int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000));
}

// Tells the service manager, often enough, that the agent is well.
class Watchdog {
 public:
  void Tick(const Agent& agent) {
    const absl::Time now = common::MonotonicClock().Now();
    if (interval_ == absl::InfiniteDuration() || now < next_word_ || !agent.Alive()) return;
    Tell("WATCHDOG=1");
    next_word_ = now + glance();
  }
  absl::Duration glance() const { return interval_ / 2; }

 private:
  const absl::Duration interval_ = common::WatchdogInterval();
  absl::Time next_word_ = absl::InfinitePast();
};

enum class Reason { kNone, kEnd, kStartAnew, kLifeline };

// Waits for a reason to end: a signal, or that the lifeline broke. kNone after the timeout.
Reason WaitForReason(int signals, int lifeline, absl::Duration timeout) {
  pollfd entries[2] = {{signals, POLLIN, 0}, {lifeline, POLLIN, 0}};
  if (poll(entries, lifeline < 0 ? 1 : 2, static_cast<int>(absl::ToInt64Milliseconds(timeout))) <= 0) {
    return Reason::kNone;
  }
  if ((entries[0].revents & POLLIN) != 0) {
    signalfd_siginfo info;
    if (read(signals, &info, sizeof(info)) != sizeof(info)) return Reason::kNone;
    return info.ssi_signo == SIGHUP && lifeline < 0 ? Reason::kStartAnew : Reason::kEnd;
  }
  char byte;
  return entries[1].revents != 0 && read(lifeline, &byte, 1) <= 0 ? Reason::kLifeline : Reason::kNone;
}

// Serves until there is a reason to end; tells the service manager meanwhile that the agent is well.
Reason WaitWhileServing(const Agent& agent, int signals, int lifeline, ProgramFile* program) {
  Watchdog watchdog;
  while (true) {
    watchdog.Tick(agent);
    const Reason reason = WaitForReason(signals, lifeline, std::min(kProgramGlance, watchdog.glance()));
    if (reason != Reason::kNone) return reason;
    if (lifeline < 0 && program->Replaced()) {
      spdlog::info("{} was replaced", program->path());
      return Reason::kStartAnew;
    }
  }
}

// Until the agent is drained, another reason to end comes, or the patience ends. The last reason.
Reason Drain(Agent* agent, Reason reason, int signals, int lifeline) {
  spdlog::info("draining");
  agent->Drain();
  const absl::Time until = common::MonotonicClock().Now() + kDrainTimeout;
  Watchdog watchdog;
  while (!agent->WaitUntilDrained(kGlance)) {
    watchdog.Tick(*agent);
    const Reason another = WaitForReason(signals, lifeline, absl::ZeroDuration());
    if (another != Reason::kNone && another != Reason::kStartAnew) {
      spdlog::warn("told to end while draining");
      return another;
    }
    if (common::MonotonicClock().Now() < until) continue;
    spdlog::warn("not drained within {}", absl::FormatDuration(kDrainTimeout));
    break;
  }
  return reason;
}

}  // namespace

int OpenSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

absl::StatusOr<Ending> Serve(const CommandLine& line, const std::string& version,
                             const std::vector<ServedDevice>& devices, int signals, ProgramFile* program) {
  const DirectoryRemover remover(line.remove_dir_at_exit);
  absl::BitGen random;
  Agent::Options options;
  options.tracker = line.tracker;
  options.blob_cache_bytes = line.cache_mib << 20;
  options.hello.set_agent_id(devices.front().device.device_id());
  options.hello.set_incarnation(absl::Uniform<uint64_t>(random));
  options.hello.set_agent_version(version);
  std::vector<Agent::Slot> slots;
  std::vector<int> cores;
  for (const ServedDevice& served : devices) {
    *options.hello.add_devices() = served.device;
    slots.push_back({served.device.device_id(), served.cores, served.runner.get()});
    cores.insert(cores.end(), served.cores.begin(), served.cores.end());
    spdlog::info("device {} of class {} on cores {}, for the tracker at {}", served.device.device_id(),
                 served.device.device_class(), FormatCpuList(served.cores), line.tracker);
  }
  const common::ReservedCores reserved(cores);
  std::unique_ptr<ResultJournal> journal;
  if (!line.state.empty()) {
    TF_ASSIGN_OR_RETURN(journal, ResultJournal::Open(line.state));
  }
  Reason reason = Reason::kNone;
  {
    Agent agent(std::move(options), std::move(slots), std::move(journal));
    Tell("READY=1");
    reason = WaitWhileServing(agent, signals, line.lifeline_fd, program);
    const bool reloading = reason == Reason::kStartAnew;
    if (reloading) {
      TellReloading();
    } else {
      Tell("STOPPING=1");
    }
    if (reason != Reason::kLifeline) reason = Drain(&agent, reason, signals, line.lifeline_fd);
    if (reloading && reason != Reason::kStartAnew) Tell("STOPPING=1");
    if (reason != Reason::kLifeline) {
      const size_t lost = agent.SaveResults();
      if (lost > 0) spdlog::warn("{} results without acknowledgement are given up", lost);
    }
    spdlog::info("ending");
    remover.Remove();
    alarm(kLastResortSeconds);  // whatever hangs, nothing stays behind
  }                             // the agent ends, and before it the zygotes with their workers
  if (reason != Reason::kStartAnew) return Ending::kDone;
  alarm(0);
  return Ending::kStartAnew;
}

}  // namespace tunefleet::device
