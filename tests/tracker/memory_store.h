// What the store means, as a plain value: applies commits to a Snapshot, with the store's checks. The reference that
// the SQLite store is held against, and the disk of the simulation.
#ifndef TUNEFLEET_TESTS_TRACKER_MEMORY_STORE_H_
#define TUNEFLEET_TESTS_TRACKER_MEMORY_STORE_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tracker/core/commit.h"

namespace tunefleet::tracker {

class MemoryStore {
 public:
  absl::Status Apply(const Commit& commit) {
    for (const StoreOp& op : commit.ops) {
      absl::Status status = std::visit([this](const auto& what) { return Do(what); }, op);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // As a tracker of this epoch loads it.
  Snapshot Load(uint64_t epoch) const {
    Snapshot snapshot;
    snapshot.epoch = epoch;
    std::map<uint64_t, Snapshot::Trial> in_line;
    for (const auto& [id, job] : jobs_) snapshot.jobs.push_back(job);
    for (const auto& [id, trial] : trials_) in_line[trial.sequence] = trial;
    for (const auto& [sequence, trial] : in_line) snapshot.trials.push_back(trial);
    std::map<std::pair<Fence, std::string>, Snapshot::Lease> leases;
    for (const auto& [id, lease] : leases_) leases[{lease.fence, id}] = lease;
    for (const auto& [order, lease] : leases) snapshot.leases.push_back(lease);
    for (const auto& [key, result] : results_) snapshot.results.push_back(result);
    for (const auto& [id, device] : devices_) snapshot.devices.push_back(device);
    return snapshot;
  }

 private:
  static absl::Status Refuse(const std::string& what) { return absl::FailedPreconditionError(what); }

  absl::Status Do(const PutJob& op) {
    jobs_[op.open.job_id()].open = op.open;
    return absl::OkStatus();
  }
  absl::Status Do(const PutTrial& op) {
    if (!jobs_.contains(op.job_id)) return Refuse("no job");
    const bool fresh = trials_
                           .try_emplace(op.trial->trial_id(), Snapshot::Trial{op.trial->trial_id(), op.job_id,
                                                                              op.sequence, Fence(), 0, op.trial})
                           .second;
    return fresh ? absl::OkStatus() : Refuse("trial put twice");
  }
  absl::Status Do(const PutLease& op) {
    const auto trial = trials_.find(op.trial_id);
    if (trial == trials_.end() || trial->second.trial == nullptr) return Refuse("lease of no live trial");
    if (op.fence <= trial->second.fence) return Refuse("lease under an old fence");
    if (leases_.contains(op.trial_id)) return Refuse("leased twice");
    trial->second.fence = op.fence;
    leases_[op.trial_id] = {op.trial_id, op.fence, op.device_id, op.agent_id, false};
    return absl::OkStatus();
  }
  absl::Status Do(const StartLease& op) {
    const auto lease = leases_.find(op.trial_id);
    if (lease == leases_.end() || lease->second.fence != op.fence) return Refuse("start of no lease");
    lease->second.started = true;
    return absl::OkStatus();
  }
  absl::Status Do(const DropLease& op) {
    const auto lease = leases_.find(op.trial_id);
    if (lease == leases_.end() || lease->second.fence != op.fence) return Refuse("drop of no lease");
    leases_.erase(lease);
    trials_[op.trial_id].blames = op.blames;
    return absl::OkStatus();
  }
  absl::Status Do(const PutResult& op) {
    const auto trial = trials_.find(op.result->trial_id());
    if (trial == trials_.end() || trial->second.trial == nullptr) return Refuse("second result");
    if (op.fence < trial->second.fence) return Refuse("result under an old fence");
    Snapshot::Job& job = jobs_[op.job_id];
    if (op.cursor != job.last_cursor + 1) return Refuse("cursor gap");
    job.last_cursor = op.cursor;
    trial->second.trial = nullptr;
    leases_.erase(op.result->trial_id());
    results_[{op.job_id, op.cursor}] = {op.job_id, op.cursor, op.result};
    return absl::OkStatus();
  }
  absl::Status Do(const ForgetResults& op) {
    Snapshot::Job& job = jobs_[op.job_id];
    if (op.cursor > job.last_cursor) return Refuse("acknowledged past the last");
    job.acknowledged = std::max(job.acknowledged, op.cursor);
    results_.erase(results_.lower_bound({op.job_id, 0}), results_.upper_bound({op.job_id, op.cursor}));
    return absl::OkStatus();
  }
  absl::Status Do(const ForgetJob& op) {
    std::erase_if(trials_, [&](const auto& entry) { return entry.second.job_id == op.job_id; });
    std::erase_if(results_, [&](const auto& entry) { return entry.first.first == op.job_id; });
    jobs_.erase(op.job_id);
    return absl::OkStatus();
  }

  absl::Status Do(const PutDevice& op) {
    devices_[op.device.device_id()] = op;
    return absl::OkStatus();
  }
  absl::Status Do(const ForgetDevice& op) {
    devices_.erase(op.device_id);
    return absl::OkStatus();
  }

  std::map<std::string, Snapshot::Job> jobs_;
  std::map<std::string, Snapshot::Trial> trials_;
  std::map<std::string, Snapshot::Lease> leases_;
  std::map<std::pair<std::string, uint64_t>, Snapshot::Result> results_;
  std::map<std::string, PutDevice> devices_;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TESTS_TRACKER_MEMORY_STORE_H_
