#include "tests/tracker/core_harness.h"

#include <deque>

#include "common/check.h"
#include "common/digest.h"

namespace tunefleet::tracker {

v1::Device MakeDevice(const std::string& id, const std::string& device_class) {
  v1::Device device;
  device.set_device_id(id);
  device.set_device_class(device_class);
  return device;
}

v1::Hello MakeHello(const std::string& agent, uint64_t incarnation, const std::vector<std::string>& devices) {
  v1::Hello hello;
  hello.set_protocol_min(1);
  hello.set_protocol_max(1);
  hello.set_agent_id(agent);
  hello.set_incarnation(incarnation);
  for (const std::string& id : devices) *hello.add_devices() = MakeDevice(id);
  return hello;
}

v1::Trial MakeTrial(const std::string& id, const std::string& code, const std::string& device_class) {
  v1::Trial trial;
  trial.set_trial_id(id);
  trial.add_kernels()->mutable_manifest()->set_code_digest(common::Sha256(code));
  if (!device_class.empty()) {
    v1::Condition* condition = trial.mutable_requirement()->add_conditions();
    condition->set_attribute("class");
    condition->add_all_of(device_class);
  }
  trial.mutable_options()->mutable_run_budget()->set_seconds(1);
  trial.mutable_options()->mutable_kernel_timeout()->set_seconds(2);
  trial.mutable_options()->mutable_load_timeout()->set_seconds(3);
  (*trial.mutable_labels())["name"] = id;
  return trial;
}

v1::TrialResult MakeOutcome(const std::string& trial, v1::Outcome outcome) {
  v1::TrialResult result;
  result.set_trial_id(trial);
  result.set_outcome(outcome);
  result.set_detail("as the test says");
  return result;
}

Snapshot EmptySnapshot(uint64_t epoch) {
  Snapshot snapshot;
  snapshot.epoch = epoch;
  return snapshot;
}

CoreHarness::CoreHarness(const Settings& settings, const Snapshot& snapshot) : core(settings, snapshot, now) {}

std::vector<v1::Lease> CoreHarness::Assigned() const {
  std::vector<v1::Lease> leases;
  for (const SendToAgent& send : All<SendToAgent>()) {
    if (send.message.has_assign()) leases.push_back(send.message.assign().lease());
  }
  return leases;
}

std::vector<std::string> CoreHarness::AssignedTrials() const {
  std::vector<std::string> ids;
  for (const v1::Lease& lease : Assigned()) ids.push_back(lease.trial_id());
  return ids;
}

std::vector<std::string> CoreHarness::RevokedTrials() const {
  std::vector<std::string> ids;
  for (const SendToAgent& send : All<SendToAgent>()) {
    if (send.message.has_revoke()) ids.push_back(send.message.revoke().lease().trial_id());
    for (const v1::Lease& lease : send.message.welcome().revoked()) ids.push_back(lease.trial_id());
  }
  return ids;
}

v1::Acknowledgement CoreHarness::Ack() const {
  for (const SendToAgent& send : All<SendToAgent>()) {
    if (send.message.has_ack()) return send.message.ack().acknowledgement();
  }
  return v1::ACKNOWLEDGEMENT_UNSPECIFIED;
}

absl::Status CoreHarness::Status() const {
  const std::vector<Reply> replies = All<Reply>();
  TF_CHECK(replies.size() == 1, "one reply");
  return replies.front().status;
}

void CoreHarness::Open(const std::string& job, const std::string& tenant, int priority) {
  v1::OpenJobRequest request;
  request.set_job_id(job);
  request.set_tenant(tenant);
  request.set_priority(priority);
  Feed(OpenJob{++last_id_, request});
}

void CoreHarness::SubmitTo(const std::string& job, const std::vector<v1::Trial>& trials) {
  Submit submit{++last_id_, job, {}};
  for (const v1::Trial& trial : trials) submit.trials.push_back({std::make_shared<const v1::Trial>(trial), {}});
  Feed(submit);
}

void CoreHarness::Finish(StreamId stream, const v1::Lease& lease, v1::Outcome outcome) {
  Feed(AgentFinished{stream, lease, MakeOutcome(lease.trial_id(), outcome)});
}

std::vector<std::string> CoreHarness::RunAll(StreamId stream) {
  std::vector<std::string> ran;
  std::deque<v1::Lease> waiting;
  const auto take = [&] {
    for (const v1::Lease& lease : Assigned()) waiting.push_back(lease);
  };
  take();
  while (!waiting.empty()) {
    const v1::Lease lease = waiting.front();
    waiting.pop_front();
    ran.push_back(lease.trial_id());
    Start(stream, lease);
    take();
    Finish(stream, lease);
    take();
  }
  return ran;
}

std::vector<SendResult> CoreHarness::Results(const std::string& job, uint64_t after) {
  v1::WatchRequest request;
  request.set_job_id(job);
  request.set_after(after);
  const WatcherId watcher = ++last_id_;
  Feed(StartWatch{watcher, request});
  std::vector<SendResult> results = All<SendResult>();
  Feed(StopWatch{watcher});
  return results;
}

v1::DeviceStatus CoreHarness::Device(const std::string& id) const {
  const v1::ListDevicesResponse response = core.ListDevices(now);
  for (const v1::DeviceStatus& status : response.devices()) {
    if (status.device().device_id() == id) return status;
  }
  return {};
}

v1::JobStatus CoreHarness::JobState(const std::string& id) const {
  const v1::ListJobsResponse response = core.ListJobs();
  for (const v1::JobStatus& status : response.jobs()) {
    if (status.job_id() == id) return status;
  }
  return {};
}

}  // namespace tunefleet::tracker
