// A TrackerCore with short-hands: makes protos, feeds events, sorts actions. Every commit counts as durable at once.
#ifndef TUNEFLEET_TESTS_TRACKER_CORE_HARNESS_H_
#define TUNEFLEET_TESTS_TRACKER_CORE_HARNESS_H_

#include <memory>
#include <string>
#include <vector>

#include "tracker/core/tracker_core.h"

namespace tunefleet::tracker {

v1::Device MakeDevice(const std::string& id, const std::string& device_class = "cpu");
v1::Hello MakeHello(const std::string& agent, uint64_t incarnation, const std::vector<std::string>& devices);
// `code` tells trials apart: equal codes make twins. An empty class means any device.
v1::Trial MakeTrial(const std::string& id, const std::string& code, const std::string& device_class = "");
v1::TrialResult MakeOutcome(const std::string& trial, v1::Outcome outcome = v1::OUTCOME_OK);

// Nothing stored yet.
Snapshot EmptySnapshot(uint64_t epoch = 1);

class CoreHarness {
 public:
  explicit CoreHarness(const Settings& settings = {}, const Snapshot& snapshot = EmptySnapshot());

  // What the last event led to.
  std::vector<Action> actions;
  template <typename What>
  std::vector<What> All() const {
    std::vector<What> found;
    for (const Action& action : actions) {
      if (const auto* what = std::get_if<What>(&action.what)) found.push_back(*what);
    }
    return found;
  }
  template <typename Op>
  std::vector<Op> Ops() const {
    std::vector<Op> found;
    for (const Commit& commit : All<Commit>()) {
      for (const StoreOp& op : commit.ops) {
        if (const auto* what = std::get_if<Op>(&op)) found.push_back(*what);
      }
    }
    return found;
  }
  // Leases assigned, and the ids of their trials, in order.
  std::vector<v1::Lease> Assigned() const;
  std::vector<std::string> AssignedTrials() const;
  std::vector<std::string> RevokedTrials() const;
  v1::Acknowledgement Ack() const;
  absl::Status Status() const;  // of the only reply

  void Feed(const Event& event) { actions = core.Handle(event, now); }
  void Advance(absl::Duration duration) {
    now += duration;
    Feed(Tick{});
  }
  void Hello(StreamId stream, const v1::Hello& hello) { Feed(AgentHello{stream, hello}); }
  void Open(const std::string& job, const std::string& tenant = "", int priority = 0);
  void SubmitTo(const std::string& job, const std::vector<v1::Trial>& trials);
  void Start(StreamId stream, const v1::Lease& lease) { Feed(AgentStarted{stream, lease}); }
  void Finish(StreamId stream, const v1::Lease& lease, v1::Outcome outcome = v1::OUTCOME_OK);
  // Assigned + finished until nothing is assigned any more; gives the trials in the order in which they ran.
  std::vector<std::string> RunAll(StreamId stream);
  // Results from the first on, as a new watcher sees them.
  std::vector<SendResult> Results(const std::string& job, uint64_t after = 0);
  v1::DeviceStatus Device(const std::string& id) const;
  v1::JobStatus JobState(const std::string& id) const;

  absl::Time now = absl::UnixEpoch() + absl::Hours(1);
  TrackerCore core;

 private:
  uint64_t last_id_ = 1000;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TESTS_TRACKER_CORE_HARNESS_H_
