// The agent's side of the lease protocol (proto/fleet.proto): which leases are held, which trial is next, which results
// still wait for their acknowledgement. Decisions only: no I/O, no clock, no threads.
//
// Events go in, messages for the current stream come out. While no stream is welcomed nothing comes out and nothing is
// lost: the next Hello and what follows its Welcome say it all again.
//
//   assigned --Start--> running --Finish--> unacknowledged --ack--> forgotten
//      |                   |
//      +-- revoked, or Return: forgotten       revoked: runs on until its owner notices; its result is dropped
//
// Invariant: a lease is in at most one of these states; a result is kept from Finish until an acknowledgement of any
// kind. Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_FLEET_AGENT_CORE_H_
#define TUNEFLEET_DEVICE_SERVER_FLEET_AGENT_CORE_H_

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "proto/fleet.pb.h"

namespace tunefleet::device {

inline constexpr uint32_t kProtocolVersion = 1;

class AgentCore {
 public:
  using Messages = std::vector<v1::AgentMessage>;

  // `hello` carries agent_id, incarnation, agent_version and devices; `left` are results of an earlier run without
  // acknowledgement.
  explicit AgentCore(v1::Hello hello, std::vector<v1::Finished> left = {});

  // ---- the stream
  // A new stream is open: its first message. The stream before it is over.
  v1::AgentMessage Open();
  Messages OnMessage(const v1::TrackerMessage& message);
  void Close();
  bool welcomed() const { return welcomed_; }
  // The stream's Hello is out, its Welcome has not come: the tracker cannot be told anything yet.
  bool greeting() const { return open_ && !welcomed_; }

  // ---- the device
  // The oldest assigned trial of the device; it stays assigned. Null: none.
  const v1::Assign* Next(const std::string& device_id) const;
  // All trials assigned and not started, oldest first: what to fetch ahead.
  std::vector<const v1::Assign*> Assigned() const;
  // False when the lease was revoked meanwhile: do not start it. Else adds the message to send.
  bool Start(const v1::Lease& lease, Messages* messages);
  // A result that is too large for a message is made to fit one (result_bound.h).
  Messages Finish(const v1::Lease& lease, v1::TrialResult result);
  Messages Return(const v1::Lease& lease, const std::string& reason);

  // The oldest check asked for of the device; it is taken. Checks are a stream's: with it they are forgotten.
  std::optional<v1::Probe> TakeProbe(const std::string& device_id);
  Messages Answer(const v1::Probed& probed);
  // True when the lease is no longer held: work on it is in vain.
  bool Revoked(const v1::Lease& lease) const;

  // ---- the end
  // No new trial is started from now on; running ones go on.
  Messages Drain();
  bool draining() const { return draining_; }
  // Draining, nothing is running and every result is acknowledged.
  bool Drained() const;
  // Results without acknowledgement, oldest first.
  const std::deque<v1::Finished>& unacknowledged() const { return finished_; }

 private:
  enum class State { kAssigned, kRunning };
  struct Held {
    v1::Assign assign;
    State state = State::kAssigned;
  };

  Messages OnWelcome(const v1::Welcome& welcome);
  Messages OnAssign(const v1::Assign& assign);
  void Forget(const v1::Lease& lease);
  std::deque<Held>::const_iterator Find(const v1::Lease& lease) const;
  Messages ReturnAssigned();
  bool KnowsDevice(const std::string& device_id) const;

  const v1::Hello hello_;
  bool open_ = false;
  bool welcomed_ = false;
  bool draining_ = false;
  std::deque<Held> held_;              // oldest first
  std::deque<v1::Finished> finished_;  // oldest first
  std::deque<v1::Probe> probes_;       // of the current stream, oldest first
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_FLEET_AGENT_CORE_H_
