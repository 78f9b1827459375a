// A tracker for one agent, scripted by the test: the real wire, none of the decisions.
#ifndef TUNEFLEET_TESTS_DEVICE_SERVER_FAKE_TRACKER_H_
#define TUNEFLEET_TESTS_DEVICE_SERVER_FAKE_TRACKER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "proto/fleet.pb.h"
#include "tests/device_server/trial_fixture.h"

namespace tunefleet::device {

class FakeTracker {
 public:
  // Listens on `address` ("unix:PATH"); serves `blobs`, which outlive it. Every Hello is answered with a Welcome.
  // `patience` is how long the agent may be silent when something is expected of it.
  FakeTracker(const std::string& address, const TestBlobs* blobs, absl::Duration patience = absl::Seconds(30));
  ~FakeTracker();

  // The next message of the agent, Hello included; fails the test and gives an empty one when the patience ends.
  v1::AgentMessage Receive();
  // Receives until one of the kind comes.
  v1::AgentMessage ReceiveOf(v1::AgentMessage::MessageCase kind);

  void Send(const v1::TrackerMessage& message);
  void Assign(const v1::Trial& trial, uint64_t counter, const std::string& device_id);
  void Acknowledge(const v1::Lease& lease);

  // While held, a Hello is received but not answered.
  void HoldWelcomes(bool held);

  // While held, a stream that the agent ends stays open on this side.
  void HoldFarewells(bool held);

  // Breaks the agent's stream; the agent may come again.
  void BreakStream();
  // Breaks off the next downloads after one chunk each, this often.
  void BreakDownloads(int times);
  bool StreamIsOpen();

 private:
  struct Impl;
  const absl::Duration patience_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_TESTS_DEVICE_SERVER_FAKE_TRACKER_H_
