// tunefleet: the command that people type. This file alone picks implementations and knows about signals.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "codegen/llvm/target_text.h"
#include "common/child_process.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "tuner/builder/builder_pool.h"
#include "tuner/commands/command_line.h"
#include "tuner/fleet/tracker_client.h"
#include "tuner/model/xgboost_model.h"

namespace tunefleet::tuner {
namespace {

// Address space of a builder. Sanitizers reserve terabytes of it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kBuilderMemoryBytes = 0;
#else
constexpr uint64_t kBuilderMemoryBytes = uint64_t{2} << 30;
#endif

absl::StatusOr<std::unique_ptr<Builder>> StartBuilders(int count, const std::vector<int>& cores,
                                                       const std::string& turns_file) {
  BuilderPoolOptions options;
  options.size = count;
  TF_ASSIGN_OR_RETURN(options.process.program, common::SiblingProgram("tunefleet-builder"));
  options.process.memory_limit_bytes = kBuilderMemoryBytes;
  options.process.cores = cores;
  if (!turns_file.empty()) options.process.arguments.push_back(absl::StrCat("--turns=", turns_file));
  return BuilderPool::Create(options);
}

absl::StatusOr<std::unique_ptr<EmbeddedFleet>> StartFleet(EmbeddedFleetOptions options, std::stop_token stop) {
  TF_ASSIGN_OR_RETURN(options.agent_program, common::SiblingProgram("tunefleet-device"));
  return EmbeddedFleet::Start(options, stop);
}

std::unique_ptr<SearchStrategy> MakeStrategy(const std::string& name, Spaces spaces, const AutoTvmOptions& options) {
  if (name == "random") return MakeRandomSearch(std::move(spaces), options.seed);
  if (name == "grid") return MakeGridSearch(std::move(spaces));
  XgboostOptions model;
  model.seed = options.seed;
  return MakeAutoTvmSearch(std::move(spaces), MakeXgboostModel(model), options);
}

Parts RealParts() {
  Parts parts;
  parts.open_database = OpenSqliteDatabase;
  parts.start_builders = StartBuilders;
  parts.start_fleet = StartFleet;
  parts.connect_runner = ConnectTrackerRunner;
  parts.probe_device = [](const std::string& address, const std::string& device_id) {
    return ProbeDevice(address, device_id);
  };
  parts.list_devices = [](const std::string& address) { return ListDevices(address); };
  parts.list_jobs = [](const std::string& address) { return ListJobs(address); };
  parts.strategies = {"autotvm", "random", "grid"};
  parts.make_strategy = MakeStrategy;
  parts.parse_target = [](const std::string& text) { return codegen::ParseTarget(text); };
  return parts;
}

// The first SIGINT or SIGTERM asks for a stop; the second ends the process at once (what it started ends with it).
// SIGHUP is a SIGTERM of a terminal that went away. Signals are blocked before any thread exists.
class SignalWatcher {
 public:
  SignalWatcher() {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::thread([this] { Watch(); }).detach();
  }
  std::stop_token stop() const { return source_.get_token(); }

 private:
  void Watch() {
    int signal = 0;
    sigwait(&signals_, &signal);
    source_.request_stop();
    sigwait(&signals_, &signal);
    _exit(kExitInterrupted);
  }

  sigset_t signals_;
  std::stop_source source_;
};

int Main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  // Lives until the process ends, because its thread does.
  const auto* const signals = new SignalWatcher;
  const Parts parts = RealParts();
  const CommandContext context{&parts, stdout, stderr, signals->stop()};
  if (const absl::Status status = common::SetUpLog("tunefleet", "warning"); !status.ok()) {
    return Complain(context, status);
  }
  return RunCommandLine({argv + 1, argv + argc}, context);
}

}  // namespace
}  // namespace tunefleet::tuner

int main(int argc, char** argv) { return tunefleet::tuner::Main(argc, argv); }
