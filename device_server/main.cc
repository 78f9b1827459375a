// tunefleet-device: the device agent. This file alone picks implementations and knows about signals.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/child_process.h"
#include "common/clock.h"
#include "common/log.h"
#include "device_server/builtin/self_test.h"
#include "device_server/describe/core_groups.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/describe/emulation.h"
#include "device_server/describe/machine.h"
#include "device_server/fleet/agent.h"
#include "device_server/measure/core_lock.h"
#include "device_server/measure/trial_runner.h"
#include "device_server/options.h"
#include "device_server/sandbox/wire.h"
#include "device_server/sandbox/zygote_process.h"
#include "google/protobuf/util/json_util.h"

namespace tunefleet::device {
namespace {

constexpr absl::Duration kDrainTimeout = absl::Seconds(30);
constexpr absl::Duration kGlance = absl::Milliseconds(20);
constexpr unsigned kLastResortSeconds = 5;
constexpr int kUsageError = 2;
constexpr int kSelfTestTimes = 20;

int Refuse(absl::string_view message) {
  std::cerr << "tunefleet-device: " << message << std::endl;
  return kUsageError;
}

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

void PrintDevice(const v1::Device& device, bool json) {
  if (json) {
    std::string text;
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    const auto status = google::protobuf::util::MessageToJsonString(device, &text, options);
    std::cout << (status.ok() ? text : "{}") << std::endl;
    return;
  }
  const v1::Target& target = device.target();
  std::cout << "device       " << device.device_id() << "\nclass        " << device.device_class()  //
            << "\ntarget       " << target.triple() << " -mcpu=" << target.cpu()                    //
            << "\nprocessor    " << target.model() << "\nfingerprint  " << device.fingerprint()     //
            << "\ncores        " << target.cores() << ", threads for a kernel " << target.threads() << "\n";
  for (const v1::CacheLevel& cache : target.caches()) {
    std::cout << "cache L" << cache.level() << "     " << cache.size_bytes() / 1024 << " KiB, lines of "
              << cache.line_bytes() << ", shared by " << cache.shared_by_cores() << "\n";
  }
  for (const v1::DeviceAttribute& attribute : device.attributes()) {
    std::cout << "attribute    " << attribute.name() << " = " << absl::StrJoin(attribute.values(), " ") << "\n";
  }
  const std::vector<CoreGroup> groups = ReadCoreGroups("", UsableCores());
  for (size_t i = 0; groups.size() > 1 && i < groups.size(); ++i) {
    std::cout << "core group   --cores=" << FormatCpuList(groups[i].cores) << " (" << GroupSuffix(groups[i])
              << ", told by " << groups[i].told_by << ")\n";
  }
  std::cout.flush();
}

// Signals arrive as data. Blocked before any thread exists, so that every thread inherits the mask.
int OpenSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

enum class Ending { kNone, kSignal, kLifeline };

// Waits for a reason to end: a signal, or that the lifeline broke.
Ending WaitForEnding(int signals, int lifeline, absl::Duration timeout) {
  const int milliseconds =
      timeout == absl::InfiniteDuration() ? -1 : static_cast<int>(absl::ToInt64Milliseconds(timeout));
  while (true) {
    pollfd entries[2] = {{signals, POLLIN, 0}, {lifeline, POLLIN, 0}};
    const int ready = poll(entries, lifeline < 0 ? 1 : 2, milliseconds);
    if (ready == 0) return Ending::kNone;
    if (ready < 0) continue;
    if ((entries[0].revents & POLLIN) != 0) {
      signalfd_siginfo info;
      if (read(signals, &info, sizeof(info)) == sizeof(info)) return Ending::kSignal;
    }
    char byte;
    if (lifeline >= 0 && entries[1].revents != 0 && read(lifeline, &byte, 1) <= 0) return Ending::kLifeline;
  }
}

// Until the agent is drained, a second reason to end comes, or the patience ends.
void Drain(Agent* agent, int signals, int lifeline) {
  spdlog::info("draining");
  agent->Drain();
  const absl::Time until = common::MonotonicClock().Now() + kDrainTimeout;
  while (!agent->WaitUntilDrained(kGlance)) {
    if (WaitForEnding(signals, lifeline, absl::ZeroDuration()) != Ending::kNone) return;
    if (common::MonotonicClock().Now() < until) continue;
    return spdlog::warn("not drained within {}", absl::FormatDuration(kDrainTimeout));
  }
}

int Serve(const CommandLine& line, const v1::Device& device, TrialRunner* runner, int signals) {
  const DirectoryRemover remover(line.remove_dir_at_exit);
  absl::BitGen random;
  Agent::Options options;
  options.tracker = line.tracker;
  options.cores = line.cores;
  options.blob_cache_bytes = line.cache_mib << 20;
  options.hello.set_agent_id(device.device_id());
  options.hello.set_incarnation(absl::Uniform<uint64_t>(random));
  options.hello.set_agent_version(TUNEFLEET_VERSION);
  *options.hello.add_devices() = device;
  spdlog::info("device {} of class {} on cores {}, for the tracker at {}", device.device_id(), device.device_class(),
               FormatCpuList(line.cores), line.tracker);
  Agent agent(std::move(options), runner);
  // When the lifeline breaks, the program that embeds the agent is gone: nobody wants a result.
  if (WaitForEnding(signals, line.lifeline_fd, absl::InfiniteDuration()) == Ending::kSignal) {
    Drain(&agent, signals, line.lifeline_fd);
  }
  spdlog::info("ending");
  remover.Remove();
  alarm(kLastResortSeconds);  // whatever hangs, nothing stays behind
  return 0;                   // the agent ends, and before it the zygote with its workers
}

// Of the largest cache that a core has, or has for itself; 0: unknown.
uint64_t CacheBytes(const v1::Target& target, bool private_only) {
  int64_t most = 0;
  for (const v1::CacheLevel& cache : target.caches()) {
    if (!private_only || cache.shared_by_cores() <= 1) most = std::max(most, cache.size_bytes());
  }
  return static_cast<uint64_t>(most);
}

// Exit status 0 where timings can be trusted.
int SelfTest(const CommandLine& line, TrialRunner* runner) {
  StayOffCores(line.cores);
  // An agent at work on these cores waits until this is over.
  const std::optional<CoreLock> lock = CoreLock::Acquire(line.cores, "", [] { return false; });
  absl::BitGen random;
  const SelfTestFindings findings = RunSelfTest(kSelfTestTimes, line.threads, random, runner);
  const SelfTestVerdict verdict = JudgeSelfTest(findings);
  if (line.json) {
    std::cout << SelfTestJson(findings, verdict) << std::endl;
  } else {
    std::cout << SelfTestText(findings, verdict) << std::flush;
  }
  return verdict.trustworthy ? 0 : 1;
}

int Main(int argc, char** argv) {
  if (argc == 2 && absl::string_view(argv[1]) == kZygoteArgument) return RunZygote();
  absl::StatusOr<CommandLine> line = ParseCommandLine({argv + 1, argv + argc});
  if (!line.ok()) return Refuse(line.status().message());
  if (line->mode == CommandLine::Mode::kHelp) {
    std::cout << HelpText();
    return 0;
  }
  if (line->mode == CommandLine::Mode::kVersion) {
    std::cout << "tunefleet-device " << TUNEFLEET_VERSION << std::endl;
    return 0;
  }
  if (const absl::Status status = common::SetUpLog("tunefleet-device", line->log_level); !status.ok()) {
    return Refuse(status.message());
  }
  if (const absl::Status status = ResolveCores(UsableCores(), &*line); !status.ok()) return Refuse(status.message());
  if (line->lifeline_fd >= 0 && fcntl(line->lifeline_fd, F_SETFD, FD_CLOEXEC) != 0) {
    return Refuse(absl::StrCat("--lifeline-fd=", line->lifeline_fd, ": no such open descriptor"));
  }
  const absl::StatusOr<std::string> program = common::OwnProgram();  // started anew as the zygote
  if (!program.ok()) return Refuse(program.status().message());
  const int signals = OpenSignals();
  v1::Target target = DescribeTarget(line->cores, line->threads);
  std::string device_class = line->device_class.empty() ? DefaultClass(target) : line->device_class;
  std::string device_id = line->device_id.empty() ? DefaultId(line->cores) : line->device_id;
  const std::vector<std::string> emulator = OwnEmulatorCommand(static_cast<size_t>(argc));
  const std::string emulator_name = emulator.empty() ? "" : std::filesystem::path(emulator[0]).filename().string();
  if (!emulator.empty()) {
    target = EmulatedTarget(std::move(target), emulator_name);
    device_class = EmulatedClass(device_class);
    if (line->device_id.empty()) device_id = absl::StrCat(device_id, "-", emulator_name).substr(0, 64);
  }

  TrialRunner::Options options{
      .program = *program,
      .emulator = emulator,
      .cores = line->cores,
      .private_cache_bytes = CacheBytes(target, /*private_only=*/true),
      .last_cache_bytes = CacheBytes(target, /*private_only=*/false),
      .fill_cache_bytes = line->cache_mib << 20,
      .turns_file = line->turns_file,
      .device_id = device_id,
      .device_fingerprint = DescribeDevice(target, device_id, device_class, emulator_name, {}).fingerprint(),
      .agent_version = TUNEFLEET_VERSION};
  // The zygote starts before the first thread of this process, and before the process leaves the measuring cores, which
  // workers need.
  absl::StatusOr<std::unique_ptr<TrialRunner>> runner = TrialRunner::Create(std::move(options));
  if (!runner.ok()) {
    std::cerr << "tunefleet-device: " << runner.status().message() << std::endl;
    return 1;
  }
  v1::Device device =
      DescribeDevice(target, device_id, device_class, emulator_name, SandboxNames((*runner)->sandbox()));
  AddAttribute("scheduling", {SchedulingName((*runner)->scheduling())}, &device);
  if (line->mode == CommandLine::Mode::kList) {
    PrintDevice(device, line->json);
    return 0;
  }
  if (line->mode == CommandLine::Mode::kSelfTest) return SelfTest(*line, runner->get());
  if (line->require_sandbox == "full" && ((*runner)->sandbox() & kSandboxFull) != kSandboxFull) {
    return Refuse(absl::StrCat("--require-sandbox=full: this machine enforces only ",
                               absl::StrJoin(SandboxNames((*runner)->sandbox()), ", ")));
  }
  StayOffCores(line->cores);
  return Serve(*line, device, runner->get(), signals);
}

}  // namespace
}  // namespace tunefleet::device

int main(int argc, char** argv) { return tunefleet::device::Main(argc, argv); }
