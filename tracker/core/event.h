// What happens to the tracker (Event) and what it decides to do (Action). Plain values; times come beside them.
//
// Numbers name the other side of a conversation: a StreamId is one agent stream, a WatcherId one Watch call, a CallId
// one unary call. The caller chooses them, never twice the same.
#ifndef TUNEFLEET_TRACKER_CORE_EVENT_H_
#define TUNEFLEET_TRACKER_CORE_EVENT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "proto/fleet.pb.h"
#include "proto/measurement.pb.h"
#include "tracker/core/commit.h"

namespace tunefleet::tracker {

using StreamId = uint64_t;
using WatcherId = uint64_t;
using CallId = uint64_t;

// ---------------------------------------------------------------- events (already validated: validate.h)

struct AgentHello {
  StreamId stream = 0;
  v1::Hello hello;
};
struct AgentStarted {
  StreamId stream = 0;
  v1::Lease lease;
};
struct AgentFinished {
  StreamId stream = 0;
  v1::Lease lease;
  v1::TrialResult result;
};
struct AgentReturned {
  StreamId stream = 0;
  std::vector<v1::Lease> leases;
  std::string reason;
};
struct AgentDraining {
  StreamId stream = 0;
};
struct AgentProbed {
  StreamId stream = 0;
  v1::Probed probed;
};
struct AgentLost {
  StreamId stream = 0;
};

struct OpenJob {
  CallId call = 0;
  v1::OpenJobRequest request;
};
// `missing` lists the blobs of the trial that are not there. Where it is empty the blobs are pinned, and the core says
// when to release them.
struct SubmittedTrial {
  std::shared_ptr<const v1::Trial> trial;
  std::vector<std::string> missing;
};
struct Submit {
  CallId call = 0;
  std::string job_id;
  std::vector<SubmittedTrial> trials;
};
struct Acknowledge {
  CallId call = 0;
  v1::AcknowledgeRequest request;
};
struct CancelJob {
  CallId call = 0;
  std::string job_id;
};
struct ProbeDevice {
  CallId call = 0;
  std::string device_id;
};
struct StartWatch {
  WatcherId watcher = 0;
  v1::WatchRequest request;
};
struct StopWatch {
  WatcherId watcher = 0;
};

// Time passes. Rules about time act only here.
struct Tick {};

using Event =
    std::variant<AgentHello, AgentStarted, AgentFinished, AgentReturned, AgentDraining, AgentProbed, AgentLost, OpenJob,
                 Submit, Acknowledge, CancelJob, ProbeDevice, StartWatch, StopWatch, Tick>;

// ---------------------------------------------------------------- actions

struct SendToAgent {
  StreamId stream = 0;
  v1::TrackerMessage message;
};
struct CloseStream {
  StreamId stream = 0;
  absl::Status status;
};
struct SendResult {
  WatcherId watcher = 0;
  uint64_t cursor = 0;
  std::shared_ptr<const v1::TrialResult> result;
};
struct CloseWatch {
  WatcherId watcher = 0;
  absl::Status status;
};
struct Reply {
  CallId call = 0;
  absl::Status status;
  std::variant<std::monostate, v1::OpenJobResponse, v1::SubmitResponse, v1::AcknowledgeResponse, v1::CancelJobResponse,
               v1::ProbeDeviceResponse>
      response;
};
// The trial no longer needs its blobs (trial_blobs.h): undo one pin of each.
struct ReleaseBlobs {
  std::shared_ptr<const v1::Trial> trial;
};

// Switch the lost device's power off and on.
struct PowerCycle {
  std::string device_id;
  std::string device_class;
  int attempt = 0;  // since it was last there, from 1
};

// An action is carried out when commit `waits_for` and all before it are durable (0: at once). Actions are carried out
// in the order in which they were returned; `waits_for` never falls from one to the next.
struct Action {
  uint64_t waits_for = 0;
  std::variant<Commit, SendToAgent, CloseStream, SendResult, CloseWatch, Reply, ReleaseBlobs, PowerCycle> what;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_CORE_EVENT_H_
