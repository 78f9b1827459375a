// The agent at work: keeps a stream to the tracker for ever, fetches ahead, and carries out one trial after the other.
//
// Threads: the connection's, the fetcher's, the keeper's (results on disk), and one control thread for each device,
// which alone touches the device's TrialRunner. Decisions are AgentCore's; this class moves messages and calls.
// Thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_FLEET_AGENT_H_
#define TUNEFLEET_DEVICE_SERVER_FLEET_AGENT_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/mutex.h"
#include "device_server/fleet/agent_core.h"
#include "device_server/fleet/blob_cache.h"
#include "device_server/fleet/blob_fetcher.h"
#include "device_server/fleet/due_times.h"
#include "device_server/fleet/result_keeper.h"
#include "device_server/fleet/tracker_connection.h"
#include "device_server/measure/core_lock.h"
#include "device_server/measure/trial_runner.h"
#include "proto/fleet.pb.h"

namespace tunefleet::device {

class Agent : private StreamHandler {
 public:
  struct Slot {
    std::string device_id;        // one of hello.devices
    std::vector<uint16_t> cores;  // locked host-wide around each trial
    TrialRunner* runner;          // outlives the agent and serves this slot alone
  };
  struct Options {
    std::string tracker;
    v1::Hello hello;         // agent_id, incarnation, agent_version and devices
    std::string lock_scope;  // see CoreLock
    uint64_t blob_cache_bytes = uint64_t{1} << 30;
    absl::Duration first_retry = absl::Milliseconds(100);
    absl::Duration longest_retry = absl::Seconds(5);
    // Results that wait longer than this for their acknowledgement are on disk.
    absl::Duration keep_after = absl::Seconds(1);
    // What a wait for the device's cores takes at most, where other agents use them in turn.
    absl::Duration longest_turn = absl::Hours(1);
  };

  // Starts, one slot per device. `journal` null: results are kept in memory alone.
  Agent(Options options, std::vector<Slot> slots, std::unique_ptr<ResultJournal> journal);
  // Stops at once, in the middle of a trial: what is held returns to the queue when the tracker notices. The runners
  // have ended, no process of them is left.
  ~Agent() override;
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Takes no new trials, gives back those not started.
  void Drain();
  // True once draining is over: the running trial is finished, every result acknowledged, and the tracker knows, or was
  // given seconds to take note. False on time-out: call it again.
  bool WaitUntilDrained(absl::Duration timeout);
  // Brings every result without acknowledgement to disk. Returns how many are there neither acknowledged nor on disk.
  size_t SaveResults();

  // False when a device has been busy with one thing, a trial, a check or the wait for its cores, for much longer than
  // that could take: something hangs that must not.
  bool Alive() const;

 private:
  std::optional<v1::AgentMessage> NextToSend() override;
  void OnMessage(const v1::TrackerMessage& message) override;

  // What a device does next: nullopts and false when the agent stops.
  struct Work {
    std::optional<v1::Probe> probe;
    std::optional<v1::Assign> assign;
    explicit operator bool() const { return probe.has_value() || assign.has_value(); }
  };

  void ConnectionMain();
  void KeeperMain();
  void DeviceMain(const Slot& slot);
  Work WaitForWork(const Slot& slot);
  // The device's cores; nullopt when given up.
  std::optional<CoreLock> LockCores(const Slot& slot, const std::function<bool()>& give_up);
  void CarryOut(const Slot& slot, const v1::Assign& assign);
  void CheckDevice(const Slot& slot, const v1::Probe& probe);
  std::vector<v1::Finished> Unacknowledged() const;
  bool InVain(const v1::Lease& lease);
  // When the part of the farewell that `end` belongs to is over; it begins with the first call.
  absl::Time FarewellEnd(std::optional<absl::Time>* end);
  void Post(AgentCore::Messages messages) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const std::vector<Slot> slots_;
  BlobCache cache_;
  TrackerConnection connection_;
  BlobFetcher fetcher_;

  common::Mutex keeper_mutex_;  // before mutex_
  ResultKeeper keeper_ ABSL_GUARDED_BY(keeper_mutex_);
  mutable common::Mutex mutex_;
  common::CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  AgentCore core_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::AgentMessage> outbox_ ABSL_GUARDED_BY(mutex_);  // of the current stream

  // Of the tracker's Welcome and of its closing the stream, once draining is over.
  std::optional<absl::Time> greeting_end_ ABSL_GUARDED_BY(mutex_), closing_end_ ABSL_GUARDED_BY(mutex_);

  DueTimes due_;

  std::thread connection_thread_;
  std::thread keeper_thread_;
  std::vector<std::thread> device_threads_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_FLEET_AGENT_H_
