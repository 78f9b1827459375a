#include "tracker/core/device_pool.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/proto_time.h"
#include "tracker/core/deadline.h"

namespace tunefleet::tracker {
namespace {

template <typename Map>
auto FindOrNull(const Map& map, const typename Map::key_type& key) -> decltype(map.begin()->second.get()) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second.get();
}

}  // namespace

v1::DeviceState DeviceRecord::state() const {
  if (!connected) return v1::DEVICE_STATE_LOST;
  if (draining) return v1::DEVICE_STATE_DRAINING;
  if (quarantined_until.has_value()) return v1::DEVICE_STATE_QUARANTINED;
  return leases.empty() ? v1::DEVICE_STATE_FREE : v1::DEVICE_STATE_LEASED;
}

DeviceRecord* DevicePool::FindDevice(const std::string& device_id) { return FindOrNull(devices_, device_id); }

AgentRecord* DevicePool::FindAgent(const std::string& agent_id) { return FindOrNull(agents_, agent_id); }

AgentRecord* DevicePool::FindStream(StreamId stream) {
  const auto found = streams_.find(stream);
  return found == streams_.end() ? nullptr : found->second;
}

AgentRecord* DevicePool::AddAgent(const std::string& agent_id, absl::Time now) {
  auto& agent = agents_[agent_id];
  if (agent == nullptr) {
    agent = std::make_unique<AgentRecord>();
    agent->agent_id = agent_id;
    agent->lost_since = now;
  }
  return agent.get();
}

DeviceRecord* DevicePool::AddDevice(const std::string& device_id, AgentRecord* agent, absl::Time now) {
  auto& device = devices_[device_id];
  if (device == nullptr) {
    device = std::make_unique<DeviceRecord>();
    device->device.set_device_id(device_id);
    device->lost_since = now;
    device->lost_reason = "not seen since the tracker started";
  }
  if (device->agent_id != agent->agent_id) {
    if (AgentRecord* owner = FindAgent(device->agent_id); owner != nullptr) owner->devices.erase(device_id);
    device->agent_id = agent->agent_id;
    agent->devices.insert(device_id);
  }
  return device.get();
}

void DevicePool::ForgetDevice(DeviceRecord* device) {
  TF_CHECK(device->leases.empty() && !device->connected, "only a lost device without leases is forgotten");
  AgentRecord* agent = FindAgent(device->agent_id);
  agent->devices.erase(device->device.device_id());
  if (agent->devices.empty() && agent->stream == 0) agents_.erase(agent->agent_id);
  devices_.erase(device->device.device_id());
}

void DevicePool::Connect(AgentRecord* agent, StreamId stream) {
  if (agent->stream != 0) streams_.erase(agent->stream);
  agent->stream = stream;
  agent->draining = false;
  agent->grace_is_over = false;
  streams_[stream] = agent;
}

void DevicePool::Disconnect(AgentRecord* agent, const std::string& reason, absl::Time now) {
  streams_.erase(agent->stream);
  agent->stream = 0;
  agent->lost_since = now;
  for (const std::string& device_id : agent->devices) {
    DeviceRecord* device = FindDevice(device_id);
    if (!device->connected) continue;
    device->connected = false;
    device->lost_since = now;
    device->lost_reason = reason;
    Refresh(device);
  }
}

bool DevicePool::CountOutcome(DeviceRecord* device, const std::string& error, absl::Time now) {
  if (error.empty()) {
    device->errors = 0;
    device->quarantines = 0;
    device->on_trial = false;
    Refresh(device);
    return false;
  }
  ++device->errors;
  if (device->errors < settings_.quarantine_after || device->quarantined_until.has_value()) return false;
  Quarantine(device, absl::StrCat(device->errors, " failures in a row, the last: ", error), now);
  return true;
}

void DevicePool::Quarantine(DeviceRecord* device, const std::string& reason, absl::Time now) {
  const int doublings = std::min(device->quarantines++, 20);
  const absl::Duration backoff =
      std::min(settings_.quarantine_backoff * (1 << doublings), settings_.max_quarantine_backoff);
  device->quarantined_until = now + backoff;
  device->quarantine_cause = reason;
  device->quarantine_backoff = backoff;
  Refresh(device);
}

void DevicePool::EndQuarantine(DeviceRecord* device) {
  device->quarantined_until.reset();
  device->quarantine_cause.clear();
  device->errors = settings_.quarantine_after - 1;  // the next failure quarantines again
  device->on_trial = true;
  Refresh(device);
}

void DevicePool::Refresh(DeviceRecord* device) {
  const std::string& device_id = device->device.device_id();
  for (std::set<std::string>& ids : ready_) ids.erase(device_id);
  const bool usable = device->connected && !device->draining && !device->quarantined_until.has_value();
  const size_t room = device->on_trial ? 1 : ready_.size();
  if (usable && device->leases.size() < room) ready_[device->leases.size()].insert(device_id);
}

v1::DeviceStatus DevicePool::Status(const DeviceRecord& device, absl::Time now) const {
  v1::DeviceStatus status;
  *status.mutable_device() = device.device;
  status.set_state(device.state());
  if (status.state() == v1::DEVICE_STATE_LOST) status.set_reason(device.lost_reason);
  if (status.state() == v1::DEVICE_STATE_QUARANTINED) {
    status.set_reason(
        absl::StrCat(device.quarantine_cause, "; tried again after ", absl::FormatDuration(device.quarantine_backoff)));
  }
  status.set_agent_id(device.agent_id);
  status.set_trials_finished(device.trials_finished);
  status.set_power_cycles(static_cast<uint32_t>(device.power_cycles));
  if (device.connected) {
    const absl::Duration running =
        device.running_since.has_value() ? now - *device.running_since : absl::ZeroDuration();
    *status.mutable_busy() = common::DurationToProto(device.busy + running);
    *status.mutable_connected() = common::DurationToProto(now - device.connected_at);
  }
  return status;
}

}  // namespace tunefleet::tracker
