#include "tracker/core/trial_table.h"

#include <utility>

#include "common/check.h"
#include "tracker/core/requirement.h"
#include "tracker/core/trial_blobs.h"

namespace tunefleet::tracker {

Job* TrialTable::FindJob(const std::string& job_id) {
  const auto job = jobs_.find(job_id);
  return job == jobs_.end() ? nullptr : job->second.get();
}

Job* TrialTable::AddJob(const v1::OpenJobRequest& open) {
  auto& job = jobs_[open.job_id()];
  TF_CHECK(job == nullptr, "job opened twice");
  job = std::make_unique<Job>();
  job->open = open;
  return job.get();
}

void TrialTable::ForgetJob(Job* job) {
  TF_CHECK(job->live.empty(), "job has live trials");
  std::erase_if(finished_, [job](const auto& entry) { return entry.second.job == job; });
  jobs_.erase(job->open.job_id());
}

Trial* TrialTable::FindLive(const std::string& trial_id) {
  const auto trial = live_.find(trial_id);
  return trial == live_.end() ? nullptr : trial->second.get();
}

const TrialTable::Finished* TrialTable::FindFinished(const std::string& trial_id) const {
  const auto trial = finished_.find(trial_id);
  return trial == finished_.end() ? nullptr : &trial->second;
}

Trial* TrialTable::AddTrial(Job* job, std::shared_ptr<const v1::Trial> spec, uint64_t sequence, absl::Time now) {
  auto& trial = live_[spec->trial_id()];
  TF_CHECK(trial == nullptr, "trial added twice");
  trial = std::make_unique<Trial>();
  trial->identity = TrialIdentity(*spec);
  trial->requirement_key = RequirementKey(spec->requirement());
  trial->spec = std::move(spec);
  trial->job = job;
  trial->sequence = sequence;
  trial->queued_at = now;
  job->live[sequence] = trial.get();
  twins_[trial->identity][sequence] = trial.get();
  return trial.get();
}

void TrialTable::Finish(Trial* trial) {
  TF_CHECK(!trial->queued && !trial->lease.has_value(), "a finished trial is neither queued nor leased");
  AddFinished(trial->job, trial->id(), trial->fence);
  trial->job->live.erase(trial->sequence);
  const auto twins = twins_.find(trial->identity);
  twins->second.erase(trial->sequence);
  if (twins->second.empty()) twins_.erase(twins);
  const std::string trial_id = trial->id();
  live_.erase(trial_id);
}

std::vector<Trial*> TrialTable::Twins(const Trial& trial) const {
  std::vector<Trial*> twins;
  for (const auto& [sequence, twin] : twins_.at(trial.identity)) twins.push_back(twin);
  return twins;
}

}  // namespace tunefleet::tracker
