// tunefleet-device: the device agent. This file alone picks implementations.
#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/child_process.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "device_server/builtin/self_test.h"
#include "device_server/describe/core_groups.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/describe/emulation.h"
#include "device_server/describe/machine.h"
#include "device_server/device_plan.h"
#include "device_server/measure/core_lock.h"
#include "device_server/measure/trial_runner.h"
#include "device_server/options.h"
#include "device_server/program_file.h"
#include "device_server/sandbox/wire.h"
#include "device_server/sandbox/zygote_process.h"
#include "device_server/serve.h"
#include "google/protobuf/util/json_util.h"

namespace tunefleet::device {
namespace {

constexpr int kUsageError = 2;
constexpr int kSelfTestTimes = 20;

int Refuse(absl::string_view message) {
  std::cerr << "tunefleet-device: " << message << std::endl;
  return kUsageError;
}

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
  std::cout.flush();
}

// The kinds of cores, where there are several.
void PrintGroups(const std::vector<CoreGroup>& groups) {
  const std::vector<std::string> kinds = GroupKinds(groups);
  for (size_t i = 0; groups.size() > 1 && i < groups.size(); ++i) {
    std::cout << "core group   --cores=" << FormatCpuList(groups[i].cores) << " (" << kinds[i] << ", told by "
              << groups[i].told_by << ")" << std::endl;
  }
}

// Of the largest cache that a core has, or has for itself; 0: unknown.
uint64_t CacheBytes(const v1::Target& target, bool private_only) {
  int64_t most = 0;
  for (const v1::CacheLevel& cache : target.caches()) {
    if (!private_only || cache.shared_by_cores() <= 1) most = std::max(most, cache.size_bytes());
  }
  return static_cast<uint64_t>(most);
}

int Fail(const absl::Status& status) {
  std::cerr << "tunefleet-device: " << status.message() << std::endl;
  return 1;
}

// The device with its zygote. Errors: UNAVAILABLE.
absl::StatusOr<ServedDevice> MakeDevice(const CommandLine& line, const PlannedDevice& planned,
                                        const std::string& program, const std::vector<std::string>& emulator) {
  v1::Target target = DescribeTarget(planned.cores, planned.threads, line.sys_root);
  std::string device_class = planned.device_class;
  std::string device_id = planned.device_id.empty() ? DefaultId(HostName(), planned.cores) : planned.device_id;
  DeviceTraits traits{.emulator = "", .core_kind = planned.core_kind, .sandbox = {}};
  if (!emulator.empty()) {
    traits.emulator = std::filesystem::path(emulator[0]).filename().string();
    target = EmulatedTarget(std::move(target), traits.emulator);
    device_class = EmulatedClass(device_class);
    if (planned.device_id.empty()) device_id = absl::StrCat(device_id, "-", traits.emulator).substr(0, 64);
  }
  TrialRunner::Options options{
      .program = program,
      .emulator = emulator,
      .cores = planned.cores,
      .worker_lifetime = line.worker,
      .private_cache_bytes = CacheBytes(target, /*private_only=*/true),
      .last_cache_bytes = CacheBytes(target, /*private_only=*/false),
      .fill_cache_bytes = line.cache_mib << 20,
      .turns_file = line.turns_file,
      .device_id = device_id,
      .device_fingerprint = DescribeDevice(target, device_id, device_class, traits).fingerprint(),
      .agent_version = TUNEFLEET_VERSION};
  ServedDevice served{.device = {}, .cores = planned.cores, .runner = nullptr};
  TF_ASSIGN_OR_RETURN(served.runner, TrialRunner::Create(std::move(options)));
  traits.sandbox = SandboxNames(served.runner->sandbox());
  served.device = DescribeDevice(target, device_id, device_class, traits);
  AddAttribute("scheduling", {SchedulingName(served.runner->scheduling())}, &served.device);
  AddAttribute("worker", {LifetimeName(line.worker)}, &served.device);
  return served;
}

// Exit status 0 where timings can be trusted.
int SelfTest(const PlannedDevice& device, const std::string& device_id, bool json, TrialRunner* runner) {
  // An agent at work on these cores waits until this is over.
  const std::optional<CoreLock> lock = CoreLock::Acquire(device.cores, "", [] { return false; });
  absl::BitGen random;
  SelfTestFindings findings = RunSelfTest(kSelfTestTimes, device.threads, random, runner);
  findings.device = device_id;
  const SelfTestVerdict verdict = JudgeSelfTest(findings);
  if (json) {
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
  const std::vector<std::string> emulator = OwnEmulatorCommand(static_cast<size_t>(argc));
  const std::vector<uint16_t> usable = UsableCores();
  // What lies below an emulator says nothing about the emulated cores.
  const std::vector<CoreGroup> groups =
      emulator.empty() ? ReadCoreGroups(line->sys_root, usable) : std::vector<CoreGroup>();
  const absl::StatusOr<std::vector<PlannedDevice>> plan = PlanDevices(
      *line, usable, groups,
      [&](const std::vector<uint16_t>& cores) { return DefaultClass(DescribeTarget(cores, 1, line->sys_root)); });
  if (!plan.ok()) return Refuse(plan.status().message());
  if (line->lifeline_fd >= 0 && fcntl(line->lifeline_fd, F_SETFD, FD_CLOEXEC) != 0) {
    return Refuse(absl::StrCat("--lifeline-fd=", line->lifeline_fd, ": no such open descriptor"));
  }
  const absl::StatusOr<std::string> program = common::OwnProgram();  // started anew as the zygote
  if (!program.ok()) return Refuse(program.status().message());
  const int signals = OpenSignals();
  ProgramFile program_file(*program);
  // The zygotes start before the first thread of this process, and before the process leaves the measuring cores, which
  // workers need.
  std::vector<ServedDevice> devices;
  for (const PlannedDevice& planned : *plan) {
    absl::StatusOr<ServedDevice> served = MakeDevice(*line, planned, *program, emulator);
    if (!served.ok()) return Fail(served.status());
    devices.push_back(*std::move(served));
  }
  if (line->mode == CommandLine::Mode::kList) {
    for (const ServedDevice& served : devices) PrintDevice(served.device, line->json);
    if (!line->json) PrintGroups(groups);
    return 0;
  }
  if (line->mode == CommandLine::Mode::kSelfTest) {
    for (const ServedDevice& served : devices) StayOffCores(served.cores);
    int exit_status = 0;
    for (size_t i = 0; i < devices.size(); ++i) {
      const std::string& device_id = devices[i].device.device_id();
      exit_status = std::max(exit_status, SelfTest((*plan)[i], device_id, line->json, devices[i].runner.get()));
    }
    return exit_status;
  }
  std::vector<uint32_t> sandboxes;
  for (const ServedDevice& served : devices) sandboxes.push_back(served.runner->sandbox());
  if (const absl::Status status = CheckSandbox(*line, sandboxes); !status.ok()) return Refuse(status.message());
  for (const ServedDevice& served : devices) StayOffCores(served.cores);
  const absl::StatusOr<Ending> ending = Serve(*line, TUNEFLEET_VERSION, devices, signals, &program_file);
  if (!ending.ok()) return Fail(ending.status());
  return *ending == Ending::kStartAnew ? Fail(program_file.StartAnew(argv)) : 0;
}

}  // namespace
}  // namespace tunefleet::device

int main(int argc, char** argv) { return tunefleet::device::Main(argc, argv); }
