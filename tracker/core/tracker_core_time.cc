// What time does: nothing here happens but in a Tick.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/proto_time.h"
#include "tracker/core/deadline.h"
#include "tracker/core/tracker_core.h"

namespace tunefleet::tracker {

void TrackerCore::On(const Tick&) {
  EndGracePeriods();
  for (const auto& [device_id, device] : pool_.devices()) EndLateLeases(device.get());
  EndQuarantines();
  EndProbes();
  CyclePower();
  ExpireTrials();
  Forget();
}

void TrackerCore::EndGracePeriods() {
  for (const auto& [agent_id, agent] : pool_.agents()) {
    if (agent->stream != 0 || agent->grace_is_over || now_ - agent->lost_since < settings_.grace) continue;
    agent->grace_is_over = true;
    for (const std::string& device_id : agent->devices) {
      const std::vector<Trial*> leases = pool_.FindDevice(device_id)->leases;
      for (Trial* trial : leases) DropLease(trial, trial->lease->started);
    }
  }
}

void TrackerCore::EndLateLeases(DeviceRecord* device) {
  const std::vector<Trial*> leases = device->leases;
  const bool running =
      std::any_of(leases.begin(), leases.end(), [](const Trial* trial) { return trial->lease->started; });
  for (Trial* trial : leases) {
    // An earlier one may have ended this one too: a quarantine takes back what is not started.
    if (std::find(device->leases.begin(), device->leases.end(), trial) == device->leases.end()) continue;
    const std::string trial_id = trial->id();
    if (now_ >= trial->lease->deadline) {
      Revoke(trial, "the lease's deadline has passed", /*blame=*/true);
      CountOutcome(device, absl::StrCat("trial ", trial_id, " overran its deadline"));
    } else if (device->connected && !running && now_ - trial->lease->waiting_since >= settings_.start_timeout) {
      Revoke(trial, "the trial was not started in time", /*blame=*/false);
      CountOutcome(device, absl::StrCat("trial ", trial_id, " was not started in time"));
    }
  }
}

void TrackerCore::EndQuarantines() {
  for (const auto& [device_id, device] : pool_.devices()) {
    if (!device->quarantined_until.has_value() || now_ < *device->quarantined_until) continue;
    pool_.EndQuarantine(device.get());
    PersistDevice(*device);
    dispatch_ = true;
  }
}

void TrackerCore::EndProbes() {
  for (auto probe = probes_.begin(); probe != probes_.end();) {
    const auto& [number, pending] = *probe;
    const DeviceRecord* device = pool_.FindDevice(pending.device_id);
    const bool lost =
        device == nullptr || !device->connected || pool_.FindAgent(device->agent_id)->stream != pending.stream;
    if (!lost && now_ < pending.deadline) {
      ++probe;
      continue;
    }
    Do(Reply{pending.call,
             lost ? absl::UnavailableError(absl::StrCat("device ", pending.device_id, " was lost before it answered"))
                  : absl::DeadlineExceededError(absl::StrCat("device ", pending.device_id, " did not answer within ",
                                                             absl::FormatDuration(settings_.probe_timeout)))});
    probe = probes_.erase(probe);
  }
}

void TrackerCore::CyclePower() {
  if (settings_.power_cycle_after == absl::InfiniteDuration()) return;
  for (const auto& [device_id, device] : pool_.devices()) {
    if (device->connected || device->draining) continue;
    if (!device->next_power_cycle.has_value()) {
      device->next_power_cycle = device->lost_since + settings_.power_cycle_after;
    }
    if (now_ < *device->next_power_cycle) continue;
    if (last_power_cycle_.has_value() && now_ - *last_power_cycle_ < settings_.power_cycle_pause) return;
    const int doublings = std::min(++device->power_cycles, 20);
    device->next_power_cycle =
        now_ + std::min(settings_.power_cycle_after * (1 << doublings), settings_.max_power_cycle_backoff);
    last_power_cycle_ = now_;
    Do(PowerCycle{device_id, device->device.device_class(), device->power_cycles});
  }
}

void TrackerCore::ExpireTrials() {
  for (const auto& [job_id, job] : trials_.jobs()) {
    const absl::Duration said = common::DurationFromProto(job->open.expire_after());
    const absl::Duration limit = said > absl::ZeroDuration() ? said : settings_.expire_after;
    if (!job->watchers.empty() || now_ - job->last_contact < limit) continue;
    const std::map<uint64_t, Trial*> live = job->live;
    for (const auto& [sequence, trial] : live) {
      if (trial->lease.has_value()) continue;
      Record(trial,
             MakeResult(v1::OUTCOME_EXPIRED, absl::StrCat("the client stayed away for ", absl::FormatDuration(limit))));
    }
  }
}

void TrackerCore::Forget() {
  std::vector<Job*> jobs;
  for (const auto& [job_id, job] : trials_.jobs()) {
    const bool settled = job->live.empty() && job->results.empty() && job->watchers.empty();
    if (settled && now_ - job->last_contact >= settings_.forget_after) jobs.push_back(job.get());
  }
  for (Job* job : jobs) {
    Persist(ForgetJob{job->id()});
    trials_.ForgetJob(job);
  }
  std::vector<DeviceRecord*> devices;
  for (const auto& [device_id, device] : pool_.devices()) {
    const bool idle = !device->connected && device->leases.empty();
    if (idle && now_ - device->lost_since >= settings_.forget_after) devices.push_back(device.get());
  }
  for (DeviceRecord* device : devices) {
    Persist(ForgetDevice{device->device.device_id()});
    pool_.ForgetDevice(device);
  }
}

}  // namespace tunefleet::tracker
