#include "tuner/fleet/embedded_fleet.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/status_macros.h"
#include "common/temporary_folder.h"
#include "tracker/tracker_server.h"
#include "tuner/fleet/agent_process.h"
#include "tuner/fleet/tracker_client.h"

namespace tunefleet::tuner {
namespace {

constexpr absl::Duration kGlance = absl::Milliseconds(25);
constexpr char kFolderPrefix[] = "tunefleet-";
constexpr std::chrono::minutes kYoungFolder{1};
constexpr size_t kLongestSocketFolder = 80;  // sockaddr_un holds 107 characters

// A tuner that is killed before its agent runs leaves an empty folder. (rmdir spares one that is in use.)
void RemoveLeftFolders(const std::string& base) {
  std::error_code ignored;
  const auto now = std::filesystem::file_time_type::clock::now();
  for (const auto& entry : std::filesystem::directory_iterator(base, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kFolderPrefix) || name.size() != sizeof(kFolderPrefix) - 1 + 6) continue;
    if (now - entry.last_write_time(ignored) < kYoungFolder) continue;  // its tuner may be about to use it
    rmdir(entry.path().c_str());
  }
}

absl::StatusOr<std::unique_ptr<common::TemporaryFolder>> MakeSocketFolder() {
  const char* wanted = std::getenv("TMPDIR");
  std::string base = wanted != nullptr && *wanted != '\0' ? wanted : "/tmp";
  if (base.size() > kLongestSocketFolder) base = "/tmp";
  RemoveLeftFolders(base);
  return common::TemporaryFolder::Make(base, kFolderPrefix);
}

// Whether the tracker's state is needed again: a trial is queued or runs, or a result waits to be recorded.
bool HasUnfinishedBusiness(const std::string& address) {
  const absl::StatusOr<v1::ListJobsResponse> jobs = ListJobs(address);
  if (!jobs.ok()) return true;
  return std::any_of(jobs->jobs().begin(), jobs->jobs().end(), [](const v1::JobStatus& job) {
    return job.queued() > 0 || job.running() > 0 || job.finished() > job.acknowledged();
  });
}

class EmbeddedFleetImpl final : public EmbeddedFleet {
 public:
  explicit EmbeddedFleetImpl(std::string state_folder) : state_folder_(std::move(state_folder)) {}

  ~EmbeddedFleetImpl() override {
    const bool keep = server_ == nullptr || HasUnfinishedBusiness(server_->address());
    agent_ = nullptr;
    if (server_ != nullptr) server_->Shutdown(absl::Seconds(1));
    server_ = nullptr;
    std::error_code ignored;
    if (!keep) std::filesystem::remove_all(state_folder_, ignored);
  }

  std::string address() const override { return server_->address(); }
  std::string turns_file() const override { return turns_file_; }
  absl::Status Health() const override {
    {
      const common::MutexLock lock(&mutex_);
      if (!store_failure_.ok()) return store_failure_;
    }
    return agent_->Health();
  }

  absl::Status Open(const EmbeddedFleetOptions& options, std::stop_token stop) {
    TF_ASSIGN_OR_RETURN(socket_folder_, MakeSocketFolder());
    if (options.new_records) {
      std::error_code ignored;
      std::filesystem::remove_all(state_folder_, ignored);
    }
    tracker::TrackerServer::Options tracker;
    tracker.listen = absl::StrCat("unix:", socket_folder_->path(), "/tracker");
    tracker.state_directory = state_folder_;
    tracker.on_failure = [this](const absl::Status& status) {
      const common::MutexLock lock(&mutex_);
      store_failure_ = absl::Status(status.code(), absl::StrCat("the tracker's state in ", state_folder_,
                                                                " cannot be stored: ", status.message()));
    };
    TF_ASSIGN_OR_RETURN(server_, tracker::TrackerServer::Start(tracker));
    std::vector<std::string> agent = {options.agent_program, absl::StrCat("--tracker=", address()),
                                      absl::StrCat("--cores=", absl::StrJoin(options.device_cores, ",")),
                                      absl::StrCat("--remove-dir-at-exit=", socket_folder_->path())};
    if (options.take_turns) {
      turns_file_ = absl::StrCat(socket_folder_->path(), "/turns");
      agent.push_back(absl::StrCat("--turns=", turns_file_));
    }
    TF_ASSIGN_OR_RETURN(agent_, AgentProcess::Start(std::move(agent), options.agent_cores));
    return AwaitDevice(options, stop);
  }

 private:
  absl::Status AwaitDevice(const EmbeddedFleetOptions& options, std::stop_token stop) {
    const absl::Time end = common::MonotonicClock().Now() + options.start_timeout;
    for (;;) {
      const absl::StatusOr<v1::ListDevicesResponse> devices = ListDevices(address());
      const auto is_there = [](const v1::DeviceStatus& device) { return device.state() != v1::DEVICE_STATE_LOST; };
      if (devices.ok() && std::any_of(devices->devices().begin(), devices->devices().end(), is_there)) {
        return absl::OkStatus();
      }
      TF_RETURN_IF_ERROR(agent_->Health());
      if (stop.stop_requested()) return absl::CancelledError("stopped while the device agent was starting");
      if (common::MonotonicClock().Now() > end) {
        return absl::UnavailableError(
            absl::StrCat("the device agent (", options.agent_program, ") did not register within ",
                         absl::FormatDuration(options.start_timeout), ": ", agent_->LastWords()));
      }
      absl::SleepFor(kGlance);
    }
  }

  const std::string state_folder_;
  mutable common::Mutex mutex_;
  absl::Status store_failure_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<common::TemporaryFolder> socket_folder_;
  std::string turns_file_;
  std::unique_ptr<tracker::TrackerServer> server_;
  std::unique_ptr<AgentProcess> agent_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<EmbeddedFleet>> EmbeddedFleet::Start(const EmbeddedFleetOptions& options,
                                                                    std::stop_token stop) {
  auto fleet = std::make_unique<EmbeddedFleetImpl>(absl::StrCat(options.records, ".tracker"));
  TF_RETURN_IF_ERROR(fleet->Open(options, stop));
  return fleet;
}

}  // namespace tunefleet::tuner
