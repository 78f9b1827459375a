#include "tracker/core/tracker_core.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/proto_time.h"
#include "tracker/core/deadline.h"
#include "tracker/core/validate.h"

namespace tunefleet::tracker {
namespace {

// At most kMaxDetailBytes, cut between characters.
std::string BoundedDetail(std::string detail) {
  if (detail.size() <= kMaxDetailBytes) return detail;
  size_t end = kMaxDetailBytes;
  while (end > 0 && (static_cast<unsigned char>(detail[end]) & 0xC0) == 0x80) --end;
  detail.resize(end);
  return detail;
}

}  // namespace

TrackerCore::TrackerCore(const Settings& settings, const Snapshot& snapshot, absl::Time now)
    : settings_(settings), epoch_(snapshot.epoch), pool_(settings), now_(now) {
  for (const Snapshot::Job& stored : snapshot.jobs) {
    Job* job = trials_.AddJob(stored.open);
    job->acknowledged = stored.acknowledged;
    job->last_cursor = stored.last_cursor;
    job->last_contact = now;
  }
  for (const Snapshot::Result& stored : snapshot.results) {
    trials_.FindJob(stored.job_id)->results[stored.cursor] = stored.result;
  }
  for (const Snapshot::Trial& stored : snapshot.trials) {
    last_sequence_ = std::max(last_sequence_, stored.sequence);
    Job* job = trials_.FindJob(stored.job_id);
    if (stored.trial == nullptr) {
      trials_.AddFinished(job, stored.trial_id, stored.fence);
      continue;
    }
    Trial* trial = trials_.AddTrial(job, stored.trial, stored.sequence, now);
    trial->fence = stored.fence;
    trial->blames = stored.blames;
  }
  for (const PutDevice& stored : snapshot.devices) {
    AgentRecord* agent = pool_.AddAgent(stored.agent_id, now);
    agent->incarnation = stored.incarnation;
    DeviceRecord* device = pool_.AddDevice(stored.device.device_id(), agent, now);
    device->draining = stored.withdrawn;
    device->device = stored.device;
    device->attributes = DeviceAttributes(stored.device);
    device->quarantines = stored.quarantines;
    if (stored.quarantine_cause.empty()) continue;
    --device->quarantines;  // the same one, not another
    pool_.Quarantine(device, stored.quarantine_cause, now);
  }
  for (const Snapshot::Lease& stored : snapshot.leases) {
    Trial* trial = trials_.FindLive(stored.trial_id);
    AgentRecord* agent = pool_.AddAgent(stored.agent_id, now);
    DeviceRecord* device = pool_.AddDevice(stored.device_id, agent, now);
    trial->lease = LeaseState{stored.device_id, stored.agent_id, now, now, stored.started};
    if (stored.started) trial->lease->deadline = now + LeaseDeadline(*trial->spec, settings_.deadline_slack);
    device->leases.push_back(trial);
  }
  for (const auto& [job_id, job] : trials_.jobs()) {
    for (const auto& [sequence, trial] : job->live) {
      if (!trial->lease.has_value()) Enqueue(trial);
    }
  }
}

std::vector<Action> TrackerCore::Handle(const Event& event, absl::Time now) {
  now_ = now;
  actions_.clear();
  ops_.clear();
  std::visit([this](const auto& what) { On(what); }, event);
  if (std::exchange(dispatch_, false)) Dispatch();

  std::vector<Action> actions;
  if (!ops_.empty()) actions.push_back({0, Commit{++last_commit_, std::exchange(ops_, {})}});
  for (Action& action : actions_) {
    action.waits_for = last_commit_;
    actions.push_back(std::move(action));
  }
  actions_.clear();
  return actions;
}

void TrackerCore::Enqueue(Trial* trial) {
  for (const Trial* twin : trials_.Twins(*trial)) {
    if (twin->lease.has_value()) return;  // rides
  }
  queues_.Add(trial);
  dispatch_ = true;
}

void TrackerCore::Dispatch() {
  for (size_t held = 0; held < settings_.leases_per_device; ++held) {
    const std::set<std::string> ready = pool_.ready(held);
    for (const std::string& device_id : ready) {
      if (queues_.empty()) return;
      DeviceRecord* device = pool_.FindDevice(device_id);
      if (Trial* trial = queues_.Next(device->attributes, device->served); trial != nullptr) GiveLease(trial, device);
    }
  }
}

void TrackerCore::GiveLease(Trial* trial, DeviceRecord* device) {
  for (Trial* twin : trials_.Twins(*trial)) queues_.Remove(twin);  // itself too; the others ride
  queues_.Serve(trial->job->open.tenant(), &device->served);
  trial->fence = {epoch_, ++last_fence_};
  trial->lease = LeaseState{device->device.device_id(), device->agent_id, now_, now_};
  device->leases.push_back(trial);
  pool_.Refresh(device);
  Persist(PutLease{trial->id(), trial->fence, device->device.device_id(), device->agent_id});

  v1::TrackerMessage message;
  v1::Assign* assign = message.mutable_assign();
  *assign->mutable_lease() = LeaseToProto(trial->id(), trial->fence, device->device.device_id());
  *assign->mutable_trial() = *trial->spec;
  *assign->mutable_deadline() = common::DurationToProto(LeaseDeadline(*trial->spec, settings_.deadline_slack));
  Do(SendToAgent{pool_.FindAgent(device->agent_id)->stream, std::move(message)});
}

void TrackerCore::EndLease(Trial* trial) {
  DeviceRecord* device = pool_.FindDevice(trial->lease->device_id);
  std::erase(device->leases, trial);
  const bool running = std::any_of(device->leases.begin(), device->leases.end(),
                                   [](const Trial* other) { return other->lease->started; });
  if (device->running_since.has_value() && !running) {
    device->busy += now_ - *std::exchange(device->running_since, std::nullopt);
  }
  for (Trial* next : device->leases) next->lease->waiting_since = now_;
  trial->lease.reset();
  pool_.Refresh(device);
  dispatch_ = true;
}

void TrackerCore::DropLease(Trial* trial, bool blame) {
  if (blame) ++trial->blames;
  if (trial->blames >= settings_.max_blames) {
    RecordRun(trial, MakeResult(v1::OUTCOME_LOST_DEVICE,
                                absl::StrCat("started on ", trial->blames, " devices that were lost or overran")));
    return;
  }
  EndLease(trial);
  Persist(tracker::DropLease{trial->id(), trial->fence, trial->blames});
  for (Trial* twin : trials_.Twins(*trial)) {
    if (!twin->queued && !twin->lease.has_value()) Enqueue(twin);
  }
}

void TrackerCore::Revoke(Trial* trial, const std::string& reason, bool blame) {
  const AgentRecord* agent = pool_.FindAgent(trial->lease->agent_id);
  if (agent != nullptr && agent->stream != 0) {
    v1::TrackerMessage message;
    *message.mutable_revoke()->mutable_lease() = LeaseToProto(trial->id(), trial->fence, trial->lease->device_id);
    message.mutable_revoke()->set_reason(reason);
    Do(SendToAgent{agent->stream, std::move(message)});
  }
  DropLease(trial, blame);
}

void TrackerCore::CountOutcome(DeviceRecord* device, const std::string& error) {
  const bool was_in_a_row = device->quarantines > 0;
  if (pool_.CountOutcome(device, error, now_)) {
    TakeBack(device);
    PersistDevice(*device);
  } else if (was_in_a_row && device->quarantines == 0) {
    PersistDevice(*device);
  }
}

void TrackerCore::PersistDevice(const DeviceRecord& device) {
  Persist(PutDevice{device.device, device.agent_id, pool_.FindAgent(device.agent_id)->incarnation, device.draining,
                    device.quarantines, device.quarantine_cause});
}

void TrackerCore::TakeBack(DeviceRecord* device) {
  const std::vector<Trial*> leases = device->leases;
  for (Trial* trial : leases) {
    if (!trial->lease->started) Revoke(trial, "the device is quarantined", /*blame=*/false);
  }
}

void TrackerCore::RecordRun(Trial* trial, const v1::TrialResult& result) {
  const std::vector<Trial*> twins = trials_.Twins(*trial);
  const bool others_run = std::any_of(twins.begin(), twins.end(),
                                      [trial](const Trial* twin) { return twin != trial && twin->lease.has_value(); });
  if (others_run) return Record(trial, result);
  for (Trial* twin : twins) Record(twin, result);
}

void TrackerCore::Record(Trial* trial, v1::TrialResult result) {
  const absl::Time left_queue = trial->lease.has_value() ? trial->lease->assigned_at : now_;
  *result.mutable_queue_time() = common::DurationToProto(left_queue - trial->queued_at);
  result.set_trial_id(trial->id());
  result.set_detail(BoundedDetail(std::move(*result.mutable_detail())));
  queues_.Remove(trial);
  if (trial->lease.has_value()) EndLease(trial);

  Job* job = trial->job;
  const uint64_t cursor = ++job->last_cursor;
  const auto shared = std::make_shared<const v1::TrialResult>(std::move(result));
  job->results[cursor] = shared;
  Persist(PutResult{job->id(), cursor, trial->fence, shared});
  for (const auto& [watcher, after] : job->watchers) {
    if (cursor > after) Do(SendResult{watcher, cursor, shared});
  }
  Do(ReleaseBlobs{trial->spec});
  trials_.Finish(trial);
}

v1::TrialResult TrackerCore::MakeResult(v1::Outcome outcome, absl::string_view detail) const {
  v1::TrialResult result;
  result.set_outcome(outcome);
  result.set_detail(std::string(detail));
  *result.mutable_finished_at() = common::TimestampToProto(now_ + settings_.wall_offset);
  return result;
}

v1::ListDevicesResponse TrackerCore::ListDevices(absl::Time now) const {
  v1::ListDevicesResponse response;
  for (const auto& [device_id, device] : pool_.devices()) *response.add_devices() = pool_.Status(*device, now);
  return response;
}

v1::ListJobsResponse TrackerCore::ListJobs() const {
  v1::ListJobsResponse response;
  for (const auto& [job_id, job] : trials_.jobs()) {
    v1::JobStatus* status = response.add_jobs();
    status->set_job_id(job_id);
    status->set_tenant(job->open.tenant());
    status->set_priority(job->open.priority());
    *status->mutable_labels() = job->open.labels();
    for (const auto& [sequence, trial] : job->live) {
      trial->lease.has_value() ? status->set_running(status->running() + 1) : status->set_queued(status->queued() + 1);
    }
    status->set_finished(job->last_cursor);
    status->set_acknowledged(job->acknowledged);
  }
  return response;
}

}  // namespace tunefleet::tracker
