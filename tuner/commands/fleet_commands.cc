// `tunefleet devices` and `tunefleet jobs`: what a tracker has.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tuner/commands/command_line.h"
#include "tuner/commands/flags.h"
#include "tuner/commands/json.h"
#include "tuner/commands/text.h"

namespace tunefleet::tuner {
namespace {

double Seconds(const google::protobuf::Duration& duration) { return duration.seconds() + 1e-9 * duration.nanos(); }

std::string StateName(v1::DeviceState state) {
  const std::string name = v1::DeviceState_Name(state);
  return absl::AsciiStrToLower(name.substr(std::min<size_t>(name.size(), 13)));  // DEVICE_STATE_
}

std::string BusyText(const v1::DeviceStatus& status) {
  const double connected = Seconds(status.connected());
  return connected <= 0 ? "-" : absl::StrFormat("%.0f%%", 100 * Seconds(status.busy()) / connected);
}

std::string DeviceJson(const v1::DeviceStatus& status) {
  const v1::Device& device = status.device();
  JsonObject attributes;
  for (const v1::DeviceAttribute& attribute : device.attributes()) {
    std::vector<std::string> values;
    for (const std::string& value : attribute.values()) values.push_back(JsonString(value));
    attributes.Raw(attribute.name(), JsonArray(values));
  }
  return JsonObject()
      .Text("device", device.device_id())
      .Text("class", device.device_class())
      .Text("state", StateName(status.state()))
      .Text("reason", status.reason())
      .Text("target", TargetText(device.target()))
      .Text("model", device.target().model())
      .Integer("cores", device.target().cores())
      .Text("agent", status.agent_id())
      .Integer("trials_finished", static_cast<int64_t>(status.trials_finished()))
      .Number("busy_s", Seconds(status.busy()))
      .Number("connected_s", Seconds(status.connected()))
      .Integer("power_cycles", status.power_cycles())
      .Text("fingerprint", device.fingerprint())
      .Raw("attributes", attributes.Print())
      .Print();
}

std::string JobJson(const v1::JobStatus& job) {
  JsonObject labels;
  for (const auto& [name, value] : job.labels()) labels.Text(name, value);
  return JsonObject()
      .Text("job", job.job_id())
      .Text("tenant", job.tenant())
      .Integer("priority", job.priority())
      .Integer("queued", static_cast<int64_t>(job.queued()))
      .Integer("running", static_cast<int64_t>(job.running()))
      .Integer("finished", static_cast<int64_t>(job.finished()))
      .Integer("acknowledged", static_cast<int64_t>(job.acknowledged()))
      .Raw("labels", labels.Print())
      .Print();
}

struct TrackerFlags {
  std::string tracker;
  bool json = false;

  void Declare(FlagSet* flags) {
    flags->Text("tracker", "ADDRESS", "HOST:PORT or unix:PATH of the tracker", &tracker);
    flags->Switch("json", "one JSON object per line", &json);
  }
  absl::Status Check() const {
    if (!tracker.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError("--tracker is missing; expected e.g. --tracker=127.0.0.1:9190");
  }
};

}  // namespace

namespace {

// Exit status: whether the device is well.
int Probe(const CommandContext& context, const TrackerFlags& flags, const std::string& device_id) {
  const absl::StatusOr<v1::ProbeDeviceResponse> answer = context.parts->probe_device(flags.tracker, device_id);
  if (!answer.ok()) return Complain(context, answer.status());
  if (flags.json) {
    const std::string line = JsonObject()
                                 .Text("device", device_id)
                                 .Raw("healthy", answer->healthy() ? "true" : "false")
                                 .Text("detail", answer->detail())
                                 .Number("elapsed_s", Seconds(answer->elapsed()))
                                 .Print();
    std::fprintf(context.out, "%s\n", line.c_str());
  } else {
    std::fprintf(context.out, "%s is %s: %s (%.3f s)\n", device_id.c_str(), answer->healthy() ? "well" : "ill",
                 answer->detail().c_str(), Seconds(answer->elapsed()));
  }
  return answer->healthy() ? kExitOk : kExitFailed;
}

}  // namespace

int DevicesCommand(const std::vector<std::string>& arguments, const CommandContext& context) {
  TrackerFlags flags;
  FlagSet set("devices", "tunefleet devices --tracker=ADDRESS: the devices that a tracker knows.",
              "  tunefleet devices --tracker=127.0.0.1:9190\n"
              "  tunefleet devices --tracker=127.0.0.1:9190 --probe=board-7\n");
  flags.Declare(&set);
  std::string probe;
  set.Text("probe", "DEVICE", "have this device checked between two trials; exit status 1 when it is ill", &probe);
  if (const absl::Status status = set.Parse(arguments); !status.ok()) return Complain(context, status);
  if (set.help_wanted()) return std::fputs(set.Help().c_str(), context.out), kExitOk;
  if (const absl::Status status = flags.Check(); !status.ok()) return Complain(context, status);
  if (!probe.empty()) return Probe(context, flags, probe);
  const absl::StatusOr<v1::ListDevicesResponse> devices = context.parts->list_devices(flags.tracker);
  if (!devices.ok()) return Complain(context, devices.status());
  std::vector<std::vector<std::string>> rows = {
      {"DEVICE", "CLASS", "STATE", "TARGET", "CORES", "TRIALS", "BUSY", "WHY"}};
  for (const v1::DeviceStatus& status : devices->devices()) {
    if (flags.json) std::fprintf(context.out, "%s\n", DeviceJson(status).c_str());
    const v1::Device& device = status.device();
    rows.push_back({device.device_id(), device.device_class(), StateName(status.state()), TargetText(device.target()),
                    absl::StrCat(device.target().cores()), absl::StrCat(status.trials_finished()), BusyText(status),
                    status.reason()});
  }
  if (!flags.json) std::fputs(Table(rows).c_str(), context.out);
  return kExitOk;
}

int JobsCommand(const std::vector<std::string>& arguments, const CommandContext& context) {
  TrackerFlags flags;
  FlagSet set("jobs", "tunefleet jobs --tracker=ADDRESS: the jobs that a tracker works on.",
              "  tunefleet jobs --tracker=127.0.0.1:9190 --json\n");
  flags.Declare(&set);
  if (const absl::Status status = set.Parse(arguments); !status.ok()) return Complain(context, status);
  if (set.help_wanted()) return std::fputs(set.Help().c_str(), context.out), kExitOk;
  if (const absl::Status status = flags.Check(); !status.ok()) return Complain(context, status);
  const absl::StatusOr<v1::ListJobsResponse> jobs = context.parts->list_jobs(flags.tracker);
  if (!jobs.ok()) return Complain(context, jobs.status());
  std::vector<std::vector<std::string>> rows = {
      {"JOB", "TENANT", "PRIORITY", "QUEUED", "RUNNING", "FINISHED", "ACKNOWLEDGED", "LABELS"}};
  for (const v1::JobStatus& job : jobs->jobs()) {
    if (flags.json) std::fprintf(context.out, "%s\n", JobJson(job).c_str());
    rows.push_back({job.job_id(), job.tenant(), absl::StrCat(job.priority()), absl::StrCat(job.queued()),
                    absl::StrCat(job.running()), absl::StrCat(job.finished()), absl::StrCat(job.acknowledged()),
                    absl::StrJoin(job.labels(), " ", absl::PairFormatter("="))});
  }
  if (!flags.json) std::fputs(Table(rows).c_str(), context.out);
  return kExitOk;
}

}  // namespace tunefleet::tuner
