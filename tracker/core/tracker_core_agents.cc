// What agents say.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tracker/core/deadline.h"
#include "tracker/core/tracker_core.h"

namespace tunefleet::tracker {
namespace {

// "trial T under fence (E, C) on device D": equal for equal leases.
using LeaseKey = std::tuple<std::string, Fence, std::string>;

LeaseKey KeyOf(const v1::Lease& lease) { return {lease.trial_id(), FenceFromProto(lease.fence()), lease.device_id()}; }
LeaseKey KeyOf(const Trial& trial) { return {trial.id(), trial.fence, trial.lease->device_id}; }

bool Started(const Trial* trial) { return trial->lease->started; }

v1::TrackerMessage AckMessage(const v1::Lease& lease, v1::Acknowledgement acknowledgement) {
  v1::TrackerMessage message;
  *message.mutable_ack()->mutable_lease() = lease;
  message.mutable_ack()->set_acknowledgement(acknowledgement);
  return message;
}

}  // namespace

void TrackerCore::On(const AgentHello& event) {
  const v1::Hello& hello = event.hello;
  if (pool_.FindStream(event.stream) != nullptr) {
    return Do(CloseStream{event.stream, absl::InvalidArgumentError("Hello was said twice on one stream")});
  }
  for (const v1::Device& offered : hello.devices()) {
    const DeviceRecord* device = pool_.FindDevice(offered.device_id());
    if (device == nullptr || device->agent_id == hello.agent_id() || !device->connected) continue;
    return Do(CloseStream{event.stream, absl::InvalidArgumentError(absl::StrCat(
                                            "device ", offered.device_id(), " is offered by agent ", device->agent_id,
                                            " already, which is connected: device ids are unique in a fleet"))});
  }

  if (const absl::Status status = CheckRoom(hello); !status.ok()) return Do(CloseStream{event.stream, status});

  AgentRecord* agent = pool_.AddAgent(hello.agent_id(), now_);
  if (agent->stream != 0) {
    Do(CloseStream{agent->stream,
                   absl::AbortedError(absl::StrCat("a newer stream of agent ", hello.agent_id(), " took over"))});
  }
  const bool restarted = agent->incarnation != hello.incarnation();
  agent->incarnation = hello.incarnation();
  pool_.Connect(agent, event.stream);
  OfferDevices(hello, agent, restarted);
  ReturnUnlisted(hello, agent);

  v1::TrackerMessage message;
  message.mutable_welcome()->set_protocol(kProtocolVersion);
  message.mutable_welcome()->set_epoch(epoch_);
  for (v1::Lease& lease : NotHeld(hello)) *message.mutable_welcome()->add_revoked() = std::move(lease);
  Do(SendToAgent{event.stream, std::move(message)});
  dispatch_ = true;
}

absl::Status TrackerCore::CheckRoom(const v1::Hello& hello) {
  const auto is_new = [this](const v1::Device& device) { return pool_.FindDevice(device.device_id()) == nullptr; };
  const auto more = static_cast<size_t>(std::count_if(hello.devices().begin(), hello.devices().end(), is_new));
  const bool another = pool_.FindAgent(hello.agent_id()) == nullptr;
  if (pool_.agents().size() + (another ? 1 : 0) <= settings_.max_agents &&
      pool_.devices().size() + more <= settings_.max_devices) {
    return absl::OkStatus();
  }
  return absl::ResourceExhaustedError(absl::StrCat(
      "agent ", hello.agent_id(), ": the tracker knows ", pool_.agents().size(), " agents with ",
      pool_.devices().size(), " devices, its limits are ", settings_.max_agents, " and ", settings_.max_devices));
}

void TrackerCore::OfferDevices(const v1::Hello& hello, AgentRecord* agent, bool restarted) {
  std::set<std::string> withdrawn = agent->devices;
  for (const v1::Device& offered : hello.devices()) {
    withdrawn.erase(offered.device_id());
    DeviceRecord* device = pool_.AddDevice(offered.device_id(), agent, now_);
    const bool changed =
        restarted || device->draining || device->device.SerializeAsString() != offered.SerializeAsString();
    device->device = offered;
    device->power_cycles = 0;
    device->next_power_cycle.reset();
    device->attributes = DeviceAttributes(offered);
    device->draining = false;
    if (restarted || !device->connected) {
      device->connected_at = now_;
      device->busy = absl::ZeroDuration();
      const bool running = std::any_of(device->leases.begin(), device->leases.end(), Started);
      device->running_since = running ? std::optional(now_) : std::nullopt;
    }
    device->connected = true;
    for (Trial* trial : device->leases) trial->lease->waiting_since = now_;
    if (restarted && device->quarantined_until.has_value()) pool_.EndQuarantine(device);
    if (changed) PersistDevice(*device);
    pool_.Refresh(device);
  }
  for (const std::string& device_id : withdrawn) {
    DeviceRecord* device = pool_.FindDevice(device_id);
    if (device->connected) device->lost_since = now_;
    device->connected = false;
    device->draining = true;
    device->lost_reason = "no longer offered by its agent";
    PersistDevice(*device);
    pool_.Refresh(device);
  }
}

void TrackerCore::ReturnUnlisted(const v1::Hello& hello, AgentRecord* agent) {
  std::set<LeaseKey> listed;
  for (const v1::Lease& lease : hello.held()) listed.insert(KeyOf(lease));
  for (const v1::Lease& lease : hello.unacknowledged()) listed.insert(KeyOf(lease));
  for (const std::string& device_id : agent->devices) {
    const DeviceRecord* device = pool_.FindDevice(device_id);
    const std::vector<Trial*> leases = device->leases;
    for (Trial* trial : leases) {
      if (device->connected && listed.contains(KeyOf(*trial))) {
        trial->lease->agent_id = agent->agent_id;
      } else {
        DropLease(trial, Started(trial));
      }
    }
  }
}

std::vector<v1::Lease> TrackerCore::NotHeld(const v1::Hello& hello) {
  const AgentRecord& agent = *pool_.FindAgent(hello.agent_id());
  std::vector<v1::Lease> revoked;
  for (const v1::Lease& lease : hello.held()) {
    if (Leased(lease, agent) == nullptr) revoked.push_back(lease);
  }
  return revoked;
}

AgentRecord* TrackerCore::Known(StreamId stream) {
  AgentRecord* agent = pool_.FindStream(stream);
  if (agent == nullptr) Do(CloseStream{stream, absl::InvalidArgumentError("the first message must be Hello")});
  return agent;
}

Trial* TrackerCore::Leased(const v1::Lease& lease, const AgentRecord& agent) {
  Trial* trial = trials_.FindLive(lease.trial_id());
  const bool current = trial != nullptr && trial->lease.has_value() && trial->lease->agent_id == agent.agent_id &&
                       KeyOf(*trial) == KeyOf(lease);
  return current ? trial : nullptr;
}

void TrackerCore::On(const AgentStarted& event) {
  const AgentRecord* agent = Known(event.stream);
  if (agent == nullptr) return;
  Trial* trial = Leased(event.lease, *agent);
  if (trial == nullptr) {
    v1::TrackerMessage message;
    *message.mutable_revoke()->mutable_lease() = event.lease;
    message.mutable_revoke()->set_reason("the lease is no longer held");
    return Do(SendToAgent{event.stream, std::move(message)});
  }
  if (Started(trial)) return;
  trial->lease->started = true;
  trial->lease->deadline = now_ + LeaseDeadline(*trial->spec, settings_.deadline_slack);
  DeviceRecord* device = pool_.FindDevice(trial->lease->device_id);
  if (!device->running_since.has_value()) device->running_since = now_;
  Persist(StartLease{trial->id(), trial->fence});
}

void TrackerCore::On(const AgentFinished& event) {
  const AgentRecord* agent = Known(event.stream);
  if (agent == nullptr) return;
  if (!agent->devices.contains(event.lease.device_id())) {
    // Also what a device did that moved to another agent since: that agent, or nobody, runs the trial again.
    return Do(SendToAgent{event.stream, AckMessage(event.lease, v1::ACKNOWLEDGEMENT_STALE)});
  }
  const Fence fence = FenceFromProto(event.lease.fence());
  Trial* trial = trials_.FindLive(event.lease.trial_id());
  if (trial == nullptr || trial->fence != fence) {
    const TrialTable::Finished* finished = trials_.FindFinished(event.lease.trial_id());
    const bool duplicate = finished != nullptr && finished->fence == fence;
    return Do(SendToAgent{
        event.stream, AckMessage(event.lease, duplicate ? v1::ACKNOWLEDGEMENT_DUPLICATE : v1::ACKNOWLEDGEMENT_STALE)});
  }
  // The fence is the newest one: the result counts even where the lease went back to the queue meanwhile.
  if (DeviceRecord* device = pool_.FindDevice(event.lease.device_id()); device != nullptr) {
    ++device->trials_finished;
    const v1::TrialResult& result = event.result;
    const bool failed = result.outcome() == v1::OUTCOME_DEVICE_ERROR;
    const std::string error = result.detail().empty() ? "no detail given" : result.detail();
    RecordRun(trial, result);
    CountOutcome(device, failed ? error : "");
  } else {
    RecordRun(trial, event.result);
  }
  Do(SendToAgent{event.stream, AckMessage(event.lease, v1::ACKNOWLEDGEMENT_RECORDED)});
}

void TrackerCore::On(const AgentReturned& event) {
  const AgentRecord* agent = Known(event.stream);
  if (agent == nullptr) return;
  std::set<DeviceRecord*> devices;
  for (const v1::Lease& lease : event.leases) {
    Trial* trial = Leased(lease, *agent);
    if (trial == nullptr) continue;
    devices.insert(pool_.FindDevice(lease.device_id()));
    DropLease(trial, /*blame=*/false);
  }
  // A device that keeps handing work back without draining would otherwise get the same trial again at once, for ever.
  for (DeviceRecord* device : devices) {
    if (!device->draining) CountOutcome(device, absl::StrCat("lease returned: ", event.reason));
  }
}

void TrackerCore::On(const AgentDraining& event) {
  AgentRecord* agent = Known(event.stream);
  if (agent == nullptr) return;
  agent->draining = true;
  for (const std::string& device_id : agent->devices) {
    DeviceRecord* device = pool_.FindDevice(device_id);
    device->draining = true;
    PersistDevice(*device);
    pool_.Refresh(device);
  }
}

void TrackerCore::On(const AgentProbed& event) {
  if (Known(event.stream) == nullptr) return;
  const auto probe = probes_.find(event.probed.probe());
  if (probe == probes_.end() || probe->second.stream != event.stream ||
      probe->second.device_id != event.probed.device_id()) {
    return;  // too late, or not asked
  }
  v1::ProbeDeviceResponse response;
  response.set_healthy(event.probed.healthy());
  response.set_detail(event.probed.detail());
  *response.mutable_elapsed() = event.probed.elapsed();
  Do(Reply{probe->second.call, absl::OkStatus(), std::move(response)});
  probes_.erase(probe);
  DeviceRecord* device = pool_.FindDevice(event.probed.device_id());
  if (event.probed.healthy() == !device->quarantined_until.has_value()) return;
  if (event.probed.healthy()) {
    pool_.EndQuarantine(device);
    dispatch_ = true;
  } else {
    pool_.Quarantine(device, absl::StrCat("failed its check: ", event.probed.detail()), now_);
    TakeBack(device);
  }
  PersistDevice(*device);
}

void TrackerCore::On(const AgentLost& event) {
  AgentRecord* agent = pool_.FindStream(event.stream);
  if (agent == nullptr) return;  // another stream took over
  pool_.Disconnect(agent, agent->draining ? "drained" : "its agent's connection broke", now_);
}

}  // namespace tunefleet::tracker
