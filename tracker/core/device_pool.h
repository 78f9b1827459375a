// Agents, the devices they offer, and the state each device is in.
//
// A device is in exactly one state, the first that applies: lost (its agent has no stream), draining, quarantined,
// leased, free; so the states sum to the total. A ready device is connected, neither draining nor quarantined, and has
// room for a lease; ready devices are indexed by how many leases they hold, so that idle ones are served before
// prefetching ones.
//
// Owns agents and devices; whoever changes a device calls Refresh. Not thread-safe.
#ifndef TUNEFLEET_TRACKER_CORE_DEVICE_POOL_H_
#define TUNEFLEET_TRACKER_CORE_DEVICE_POOL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/fleet.pb.h"
#include "tracker/core/event.h"
#include "tracker/core/requirement.h"
#include "tracker/core/settings.h"
#include "tracker/core/trial_queues.h"
#include "tracker/core/trial_table.h"

namespace tunefleet::tracker {

struct AgentRecord {
  std::string agent_id;
  StreamId stream = 0;  // 0: no stream
  uint64_t incarnation = 0;
  bool draining = false;
  absl::Time lost_since;       // while there is no stream
  bool grace_is_over = false;  // its leases have returned
  std::set<std::string> devices;
};

struct DeviceRecord {
  v1::Device device;
  AttributeMap attributes;
  std::string agent_id;
  bool connected = false;
  bool draining = false;
  absl::Time lost_since;
  std::string lost_reason;

  int errors = 0;                              // DEVICE_ERROR results in a row
  int quarantines = 0;                         // in a row: each doubles the back-off
  int power_cycles = 0;                        // since it was last there
  std::optional<absl::Time> next_power_cycle;  // while it is lost
  bool on_trial = false;                       // back from quarantine: one lease at a time until a trial succeeds
  std::optional<absl::Time> quarantined_until;
  std::string quarantine_cause;  // not empty with quarantined_until
  absl::Duration quarantine_backoff;

  std::vector<Trial*> leases;  // in order of assignment
  ServiceTimes served;
  uint64_t trials_finished = 0;
  absl::Time connected_at;
  absl::Duration busy;  // with a started trial, since connected_at, up to running_since
  std::optional<absl::Time> running_since;

  v1::DeviceState state() const;
};

class DevicePool {
 public:
  explicit DevicePool(const Settings& settings) : settings_(settings), ready_(settings.leases_per_device) {}
  DevicePool(const DevicePool&) = delete;
  DevicePool& operator=(const DevicePool&) = delete;

  DeviceRecord* FindDevice(const std::string& device_id);
  AgentRecord* FindAgent(const std::string& agent_id);
  AgentRecord* FindStream(StreamId stream);

  // The agent of this id, new or known.
  AgentRecord* AddAgent(const std::string& agent_id, absl::Time now);
  // The device of this id, new or known, now offered by this agent and by no other.
  DeviceRecord* AddDevice(const std::string& device_id, AgentRecord* agent, absl::Time now);
  void ForgetDevice(DeviceRecord* device);

  void Connect(AgentRecord* agent, StreamId stream);
  // The agent has no stream any more; its devices are lost for this reason.
  void Disconnect(AgentRecord* agent, const std::string& reason, absl::Time now);

  // A trial of the device came to `error`, or to a good end (empty). True when the device is now quarantined.
  bool CountOutcome(DeviceRecord* device, const std::string& error, absl::Time now);
  // The device is not to be trusted for this reason; how long for doubles with every time in a row.
  void Quarantine(DeviceRecord* device, const std::string& reason, absl::Time now);
  // Lets the device be tried again.
  void EndQuarantine(DeviceRecord* device);

  // The device's leases or condition changed.
  void Refresh(DeviceRecord* device);

  // Ids of ready devices that hold `leases` leases.
  const std::set<std::string>& ready(size_t leases) const { return ready_[leases]; }

  v1::DeviceStatus Status(const DeviceRecord& device, absl::Time now) const;
  const std::map<std::string, std::unique_ptr<DeviceRecord>>& devices() const { return devices_; }
  const std::map<std::string, std::unique_ptr<AgentRecord>>& agents() const { return agents_; }

 private:
  const Settings settings_;
  std::map<std::string, std::unique_ptr<DeviceRecord>> devices_;
  std::map<std::string, std::unique_ptr<AgentRecord>> agents_;
  std::map<StreamId, AgentRecord*> streams_;
  std::vector<std::set<std::string>> ready_;  // index: leases held
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_CORE_DEVICE_POOL_H_
