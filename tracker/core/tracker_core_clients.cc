// What clients say.
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tracker/core/tracker_core.h"

namespace tunefleet::tracker {
namespace {

absl::Status NoSuchJob(const std::string& job_id) {
  return absl::NotFoundError(absl::StrCat("job ", job_id, ": no such job; open it first"));
}

}  // namespace

void TrackerCore::On(const OpenJob& event) {
  v1::OpenJobRequest open = event.request;
  if (open.tenant().empty()) open.set_tenant("default");
  Job* job = trials_.FindJob(open.job_id());
  if (job == nullptr) {
    if (trials_.jobs().size() >= settings_.max_jobs) {
      return Do(Reply{event.call,
                      absl::ResourceExhaustedError(absl::StrCat("job ", open.job_id(), ": the tracker holds ",
                                                                settings_.max_jobs, " jobs already, its limit"))});
    }
    job = trials_.AddJob(open);
  } else {
    // The same job, with perhaps a new place in line.
    std::vector<Trial*> queued;
    for (const auto& [sequence, trial] : job->live) {
      if (trial->queued) queued.push_back(trial);
    }
    for (Trial* trial : queued) queues_.Remove(trial);
    job->open = open;
    for (Trial* trial : queued) queues_.Add(trial);
  }
  job->last_contact = now_;
  Persist(PutJob{open});
  v1::OpenJobResponse response;
  response.set_acknowledged(job->acknowledged);
  Do(Reply{event.call, absl::OkStatus(), response});
}

absl::Status TrackerCore::CheckSubmit(const Submit& event, Job** job) {
  *job = trials_.FindJob(event.job_id);
  if (*job == nullptr) return NoSuchJob(event.job_id);
  std::set<std::string> fresh;
  for (const SubmittedTrial& submitted : event.trials) {
    const std::string& trial_id = submitted.trial->trial_id();
    const Trial* live = trials_.FindLive(trial_id);
    const TrialTable::Finished* finished = trials_.FindFinished(trial_id);
    const Job* owner = live != nullptr ? live->job : finished != nullptr ? finished->job : nullptr;
    if (owner != nullptr && owner != *job) {
      return absl::AlreadyExistsError(
          absl::StrCat("trial ", trial_id, ": it belongs to job ", owner->id(), ", not to ", event.job_id));
    }
    if (owner == nullptr && submitted.missing.empty()) fresh.insert(trial_id);
  }
  const size_t held = (*job)->live.size() + (*job)->results.size();
  if (!fresh.empty() && held + fresh.size() > settings_.max_trials_per_job) {
    return absl::ResourceExhaustedError(absl::StrCat("job ", event.job_id, ": it has ", held,
                                                     " trials queued, running or not acknowledged, ", fresh.size(),
                                                     " more would pass the limit of ", settings_.max_trials_per_job));
  }
  return absl::OkStatus();
}

void TrackerCore::On(const Submit& event) {
  Job* job = nullptr;
  const absl::Status status = CheckSubmit(event, &job);
  v1::SubmitResponse response;
  std::set<std::string> missing;
  if (job != nullptr) job->last_contact = now_;
  for (const SubmittedTrial& submitted : event.trials) {
    const std::string& trial_id = submitted.trial->trial_id();
    const bool known = trials_.FindLive(trial_id) != nullptr || trials_.FindFinished(trial_id) != nullptr;
    if ((!status.ok() || known) && submitted.missing.empty()) Do(ReleaseBlobs{submitted.trial});
    if (!status.ok()) continue;
    if (!known && !submitted.missing.empty()) {
      missing.insert(submitted.missing.begin(), submitted.missing.end());
      continue;
    }
    response.add_accepted(trial_id);
    if (known) continue;
    Trial* trial = trials_.AddTrial(job, submitted.trial, ++last_sequence_, now_);
    Persist(PutTrial{job->id(), trial->sequence, trial->spec});
    Enqueue(trial);
  }
  if (!status.ok()) return Do(Reply{event.call, status});
  for (const std::string& digest : missing) response.add_missing(digest);
  Do(Reply{event.call, absl::OkStatus(), std::move(response)});
}

void TrackerCore::On(const Acknowledge& event) {
  const uint64_t cursor = event.request.cursor();
  Job* job = trials_.FindJob(event.request.job_id());
  if (job == nullptr) return Do(Reply{event.call, NoSuchJob(event.request.job_id())});
  job->last_contact = now_;
  if (cursor > job->last_cursor) {
    return Do(Reply{event.call, absl::OutOfRangeError(absl::StrCat("job ", job->id(), ": cursor ", cursor,
                                                                   " is past the last result, ", job->last_cursor))});
  }
  if (cursor > job->acknowledged) {
    job->acknowledged = cursor;
    job->results.erase(job->results.begin(), job->results.upper_bound(cursor));
    Persist(ForgetResults{job->id(), cursor});
  }
  Do(Reply{event.call, absl::OkStatus(), v1::AcknowledgeResponse()});
}

void TrackerCore::On(const CancelJob& event) {
  Job* job = trials_.FindJob(event.job_id);
  if (job == nullptr) return Do(Reply{event.call, NoSuchJob(event.job_id)});
  job->last_contact = now_;
  v1::CancelJobResponse response;
  const std::map<uint64_t, Trial*> live = job->live;
  for (const auto& [sequence, trial] : live) {
    if (trial->lease.has_value()) continue;
    Record(trial, MakeResult(v1::OUTCOME_CANCELLED, "the job was cancelled"));
    response.set_cancelled(response.cancelled() + 1);
  }
  Do(Reply{event.call, absl::OkStatus(), response});
}

void TrackerCore::On(const ProbeDevice& event) {
  const DeviceRecord* device = pool_.FindDevice(event.device_id);
  const auto refuse = [&](absl::StatusCode code, absl::string_view why) {
    Do(Reply{event.call, absl::Status(code, absl::StrCat("probe of device ", event.device_id, ": ", why))});
  };
  if (device == nullptr) return refuse(absl::StatusCode::kNotFound, "no such device");
  if (!device->connected) return refuse(absl::StatusCode::kUnavailable, device->lost_reason);
  if (probes_.size() >= settings_.max_probes) {
    return refuse(absl::StatusCode::kResourceExhausted, "too many probes are under way");
  }
  const StreamId stream = pool_.FindAgent(device->agent_id)->stream;
  const uint64_t number = ++last_probe_;
  probes_[number] = {event.call, stream, event.device_id, now_ + settings_.probe_timeout};
  v1::TrackerMessage message;
  message.mutable_probe()->set_probe(number);
  message.mutable_probe()->set_device_id(event.device_id);
  Do(SendToAgent{stream, std::move(message)});
}

void TrackerCore::On(const StartWatch& event) {
  Job* job = trials_.FindJob(event.request.job_id());
  if (job == nullptr) return Do(CloseWatch{event.watcher, NoSuchJob(event.request.job_id())});
  job->last_contact = now_;
  job->watchers[event.watcher] = event.request.after();
  watchers_[event.watcher] = job;
  for (auto result = job->results.upper_bound(event.request.after()); result != job->results.end(); ++result) {
    Do(SendResult{event.watcher, result->first, result->second});
  }
}

void TrackerCore::On(const StopWatch& event) {
  const auto watcher = watchers_.find(event.watcher);
  if (watcher == watchers_.end()) return;
  watcher->second->watchers.erase(event.watcher);
  watcher->second->last_contact = now_;
  watchers_.erase(watcher);
}

}  // namespace tunefleet::tracker
