#include "device_server/fleet/agent_core.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/check.h"
#include "device_server/fleet/result_bound.h"

namespace tunefleet::device {
namespace {

// More than a tracker ever sends ahead; a bound on what it can make the agent hold.
constexpr size_t kMaxHeld = 64;
constexpr size_t kMaxProbes = 64;
// Named in a Hello, which is a message like others. Results beyond these are sent all the same, as stale as they then
// may be.
constexpr size_t kMaxNamed = 128;

bool SameLease(const v1::Lease& a, const v1::Lease& b) {
  return a.trial_id() == b.trial_id() && a.device_id() == b.device_id() && a.fence().epoch() == b.fence().epoch() &&
         a.fence().counter() == b.fence().counter();
}

v1::AgentMessage StartedMessage(const v1::Lease& lease) {
  v1::AgentMessage message;
  *message.mutable_started()->mutable_lease() = lease;
  return message;
}

v1::AgentMessage ReturnedMessage(std::vector<v1::Lease> leases, const std::string& reason) {
  v1::AgentMessage message;
  for (v1::Lease& lease : leases) *message.mutable_returned()->add_leases() = std::move(lease);
  message.mutable_returned()->set_reason(reason);
  return message;
}

}  // namespace

AgentCore::AgentCore(v1::Hello hello, std::vector<v1::Finished> left)
    : hello_(std::move(hello)), finished_(std::make_move_iterator(left.begin()), std::make_move_iterator(left.end())) {
  for (v1::Finished& finished : finished_) BoundResult(finished.mutable_result());
}

v1::AgentMessage AgentCore::Open() {
  open_ = true;
  welcomed_ = false;
  probes_.clear();
  v1::AgentMessage message;
  v1::Hello& hello = *message.mutable_hello();
  hello = hello_;
  hello.set_protocol_min(kProtocolVersion);
  hello.set_protocol_max(kProtocolVersion);
  for (const Held& held : held_) *hello.add_held() = held.assign.lease();
  for (size_t i = 0; i < std::min(finished_.size(), kMaxNamed); ++i) {
    *hello.add_unacknowledged() = finished_[i].lease();
  }
  return message;
}

void AgentCore::Close() {
  open_ = false;
  welcomed_ = false;
}

AgentCore::Messages AgentCore::OnMessage(const v1::TrackerMessage& message) {
  switch (message.message_case()) {
    case v1::TrackerMessage::kWelcome:
      return OnWelcome(message.welcome());
    case v1::TrackerMessage::kAssign:
      return OnAssign(message.assign());
    case v1::TrackerMessage::kAck:
      std::erase_if(finished_, [&](const v1::Finished& f) { return SameLease(f.lease(), message.ack().lease()); });
      return {};
    case v1::TrackerMessage::kRevoke:
      Forget(message.revoke().lease());
      return {};
    case v1::TrackerMessage::kProbe:
      if (probes_.size() < kMaxProbes) probes_.push_back(message.probe());
      return {};
    case v1::TrackerMessage::MESSAGE_NOT_SET:
      return {};  // of a later protocol version
  }
  return {};
}

AgentCore::Messages AgentCore::OnWelcome(const v1::Welcome& welcome) {
  welcomed_ = true;
  for (const v1::Lease& lease : welcome.revoked()) Forget(lease);
  Messages messages;
  // The stream before may have lost these on the way.
  for (const Held& held : held_) {
    if (held.state == State::kRunning) messages.push_back(StartedMessage(held.assign.lease()));
  }
  for (const v1::Finished& finished : finished_) *messages.emplace_back().mutable_finished() = finished;
  if (draining_) {
    messages.emplace_back().mutable_draining();
    for (v1::AgentMessage& message : ReturnAssigned()) messages.push_back(std::move(message));
  }
  return messages;
}

AgentCore::Messages AgentCore::OnAssign(const v1::Assign& assign) {
  if (!welcomed_ || Find(assign.lease()) != held_.end()) return {};
  if (draining_) return {ReturnedMessage({assign.lease()}, "the agent is draining")};
  if (!KnowsDevice(assign.lease().device_id())) return {ReturnedMessage({assign.lease()}, "no such device here")};
  if (held_.size() >= kMaxHeld) return {ReturnedMessage({assign.lease()}, "too many trials are held")};
  held_.push_back({assign, State::kAssigned});
  return {};
}

std::deque<AgentCore::Held>::const_iterator AgentCore::Find(const v1::Lease& lease) const {
  return std::find_if(held_.begin(), held_.end(), [&](const Held& h) { return SameLease(h.assign.lease(), lease); });
}

void AgentCore::Forget(const v1::Lease& lease) {
  if (const auto held = Find(lease); held != held_.end()) held_.erase(held);
}

const v1::Assign* AgentCore::Next(const std::string& device_id) const {
  for (const Held& held : held_) {
    if (held.state == State::kAssigned && held.assign.lease().device_id() == device_id) return &held.assign;
  }
  return nullptr;
}

std::vector<const v1::Assign*> AgentCore::Assigned() const {
  std::vector<const v1::Assign*> assigned;
  for (const Held& held : held_) {
    if (held.state == State::kAssigned) assigned.push_back(&held.assign);
  }
  return assigned;
}

bool AgentCore::Start(const v1::Lease& lease, Messages* messages) {
  const auto held = Find(lease);
  if (held == held_.end()) return false;
  TF_CHECK(held->state == State::kAssigned, "a trial is started twice");
  held_[static_cast<size_t>(held - held_.begin())].state = State::kRunning;
  if (welcomed_) messages->push_back(StartedMessage(lease));
  return true;
}

AgentCore::Messages AgentCore::Finish(const v1::Lease& lease, v1::TrialResult result) {
  const auto held = Find(lease);
  if (held == held_.end()) return {};  // revoked: the tracker would call it stale
  held_.erase(held);
  v1::Finished& finished = finished_.emplace_back();
  *finished.mutable_lease() = lease;
  *finished.mutable_result() = std::move(result);
  BoundResult(finished.mutable_result());
  if (!welcomed_) return {};
  Messages messages(1);
  *messages[0].mutable_finished() = finished;
  return messages;
}

AgentCore::Messages AgentCore::Return(const v1::Lease& lease, const std::string& reason) {
  const auto held = Find(lease);
  if (held == held_.end()) return {};
  held_.erase(held);
  // Not welcomed: the next Hello does not list it, which returns it too.
  return welcomed_ ? Messages{ReturnedMessage({lease}, reason)} : Messages{};
}

std::optional<v1::Probe> AgentCore::TakeProbe(const std::string& device_id) {
  for (auto probe = probes_.begin(); probe != probes_.end(); ++probe) {
    if (probe->device_id() != device_id) continue;
    v1::Probe taken = std::move(*probe);
    probes_.erase(probe);
    return taken;
  }
  return std::nullopt;
}

AgentCore::Messages AgentCore::Answer(const v1::Probed& probed) {
  if (!welcomed_) return {};
  Messages messages(1);
  *messages[0].mutable_probed() = probed;
  return messages;
}

bool AgentCore::Revoked(const v1::Lease& lease) const { return Find(lease) == held_.end(); }

AgentCore::Messages AgentCore::ReturnAssigned() {
  std::vector<v1::Lease> leases;
  for (const v1::Assign* assign : Assigned()) leases.push_back(assign->lease());
  std::erase_if(held_, [](const Held& held) { return held.state == State::kAssigned; });
  if (leases.empty() || !welcomed_) return {};
  return {ReturnedMessage(std::move(leases), "the agent is draining")};
}

AgentCore::Messages AgentCore::Drain() {
  if (draining_) return {};
  draining_ = true;
  Messages messages;
  if (welcomed_) messages.emplace_back().mutable_draining();
  for (v1::AgentMessage& message : ReturnAssigned()) messages.push_back(std::move(message));
  return messages;
}

bool AgentCore::Drained() const { return draining_ && held_.empty() && finished_.empty(); }

bool AgentCore::KnowsDevice(const std::string& device_id) const {
  return std::any_of(hello_.devices().begin(), hello_.devices().end(),
                     [&](const v1::Device& device) { return device.device_id() == device_id; });
}

}  // namespace tunefleet::device
