// The agent at work: keeps a stream to the tracker for ever, fetches ahead, and carries out one trial after the other.
//
// Three threads: the connection's, the fetcher's, and the device's control thread, which alone touches the TrialRunner.
// Decisions are AgentCore's; this class moves messages and calls. Thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_FLEET_AGENT_H_
#define TUNEFLEET_DEVICE_SERVER_FLEET_AGENT_H_

#include <deque>
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
#include "device_server/fleet/tracker_connection.h"
#include "device_server/measure/trial_runner.h"
#include "proto/fleet.pb.h"

namespace tunefleet::device {

class Agent : private StreamHandler {
 public:
  struct Options {
    std::string tracker;
    v1::Hello hello;              // agent_id, incarnation, agent_version and one device
    std::vector<uint16_t> cores;  // locked host-wide around each trial
    std::string lock_scope;       // see CoreLock
    uint64_t blob_cache_bytes = uint64_t{1} << 30;
    absl::Duration first_retry = absl::Milliseconds(100);
    absl::Duration longest_retry = absl::Seconds(5);
  };

  // Starts. `runner` outlives the agent and serves it alone.
  Agent(Options options, TrialRunner* runner);
  // Stops at once, in the middle of a trial: what is held returns to the queue when the tracker notices. The runner has
  // ended, no process of it is left.
  ~Agent() override;
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Takes no new trials, gives back those not started.
  void Drain();
  // True once draining is over: the running trial is finished, every result acknowledged, and the tracker knows. False
  // on time-out.
  bool WaitUntilDrained(absl::Duration timeout);

 private:
  std::optional<v1::AgentMessage> NextToSend() override;
  void OnMessage(const v1::TrackerMessage& message) override;

  void ConnectionMain();
  void DeviceMain();
  std::optional<v1::Assign> WaitForTrial();
  void CarryOut(const v1::Assign& assign);
  bool InVain(const v1::Lease& lease);
  void Post(AgentCore::Messages messages) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  TrialRunner* const runner_;
  BlobCache cache_;
  TrackerConnection connection_;
  BlobFetcher fetcher_;

  common::Mutex mutex_;
  common::CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  AgentCore core_ ABSL_GUARDED_BY(mutex_);
  std::deque<v1::AgentMessage> outbox_ ABSL_GUARDED_BY(mutex_);  // of the current stream

  std::thread connection_thread_;
  std::thread device_thread_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_FLEET_AGENT_H_
