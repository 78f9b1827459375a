// The tracker's decisions, without I/O: events and the time go in, actions come out.
//
// Invariants
//  - An accepted trial ends with exactly one result, under the next cursor of its job; cursors have no gaps.
//  - A trial that has its result never runs again. A result counts only under the fence of the trial's last lease.
//  - Whatever an action tells the world is durable first: the action names the commit that it waits for, always the
//    newest at the time of the decision.
//  - Device states sum to the number of devices.
// A core that is built from the snapshot of any prefix of its commits carries on; agents and clients lose nothing.
//
// Not thread-safe. Event times never step back. Events must have passed validate.h.
#ifndef TUNEFLEET_TRACKER_CORE_TRACKER_CORE_H_
#define TUNEFLEET_TRACKER_CORE_TRACKER_CORE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/fleet.pb.h"
#include "tracker/core/commit.h"
#include "tracker/core/device_pool.h"
#include "tracker/core/event.h"
#include "tracker/core/settings.h"
#include "tracker/core/trial_queues.h"
#include "tracker/core/trial_table.h"

namespace tunefleet::tracker {

class TrackerCore {
 public:
  // Trials without a result are queued; durable leases count as held by their agents, which have the grace period to
  // come back. The caller has pinned the blobs of the trials without a result.
  TrackerCore(const Settings& settings, const Snapshot& snapshot, absl::Time now);

  std::vector<Action> Handle(const Event& event, absl::Time now);

  v1::ListDevicesResponse ListDevices(absl::Time now) const;
  v1::ListJobsResponse ListJobs() const;

 private:
  // Agents: tracker_core_agents.cc.
  void On(const AgentHello& event);
  void On(const AgentStarted& event);
  void On(const AgentFinished& event);
  void On(const AgentReturned& event);
  void On(const AgentDraining& event);
  void On(const AgentProbed& event);
  void On(const AgentLost& event);
  // Clients: tracker_core_clients.cc.
  void On(const OpenJob& event);
  void On(const Submit& event);
  void On(const Acknowledge& event);
  void On(const CancelJob& event);
  void On(const ProbeDevice& event);
  void On(const StartWatch& event);
  void On(const StopWatch& event);
  // Time: tracker_core_time.cc.
  void On(const Tick& event);
  void EndGracePeriods();
  void EndLateLeases(DeviceRecord* device);
  void EndQuarantines();
  void EndProbes();
  void CyclePower();
  void ExpireTrials();
  void Forget();

  // Hello, step by step.
  absl::Status CheckRoom(const v1::Hello& hello);
  void OfferDevices(const v1::Hello& hello, AgentRecord* agent, bool restarted);
  void ReturnUnlisted(const v1::Hello& hello, AgentRecord* agent);
  std::vector<v1::Lease> NotHeld(const v1::Hello& hello);

  // The agent of the stream; null, and the stream is closed, when it has not said Hello.
  AgentRecord* Known(StreamId stream);
  // The live trial whose current lease this is, held by this agent; null otherwise.
  Trial* Leased(const v1::Lease& lease, const AgentRecord& agent);

  // Queues the trial, or lets it ride when a twin is leased.
  void Enqueue(Trial* trial);
  // Leases queued trials to ready devices, idle devices first.
  void Dispatch();
  void GiveLease(Trial* trial, DeviceRecord* device);
  // Takes the trial off its device. The caller says what becomes of it.
  void EndLease(Trial* trial);
  // The lease ends without a result: the trial is queued again or, blamed too often, given up.
  void DropLease(Trial* trial, bool blame);
  // Takes back a lease that the agent may still be working on.
  void Revoke(Trial* trial, const std::string& reason, bool blame);
  void CountOutcome(DeviceRecord* device, const std::string& error);
  // The device is quarantined now: what it has not started goes back.
  void TakeBack(DeviceRecord* device);
  void PersistDevice(const DeviceRecord& device);

  // The trial's run came to this: the result is its own and that of the trials that ride with it.
  void RecordRun(Trial* trial, const v1::TrialResult& result);
  // Ends one trial.
  void Record(Trial* trial, v1::TrialResult result);
  v1::TrialResult MakeResult(v1::Outcome outcome, absl::string_view detail) const;

  absl::Status CheckSubmit(const Submit& event, Job** job);

  template <typename What>
  void Do(What what) {
    actions_.push_back({0, std::move(what)});
  }
  void Persist(StoreOp op) { ops_.push_back(std::move(op)); }

  const Settings settings_;
  const uint64_t epoch_;
  uint64_t last_fence_ = 0;
  uint64_t last_sequence_ = 0;
  uint64_t last_commit_ = 0;
  TrialTable trials_;
  TrialQueues queues_;
  DevicePool pool_;
  std::map<WatcherId, Job*> watchers_;
  struct PendingProbe {
    CallId call = 0;
    StreamId stream = 0;
    std::string device_id;
    absl::Time deadline;
  };
  std::map<uint64_t, PendingProbe> probes_;
  uint64_t last_probe_ = 0;
  std::optional<absl::Time> last_power_cycle_;

  // Of the event being handled.
  absl::Time now_;
  std::vector<StoreOp> ops_;
  std::vector<Action> actions_;
  bool dispatch_ = false;  // a trial was queued or a device became ready
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_CORE_TRACKER_CORE_H_
