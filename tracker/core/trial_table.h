// Jobs, their live trials and their unacknowledged results.
//
// A live trial is in exactly one of three conditions: queued (in TrialQueues), leased (to a device), or riding: a twin,
// a trial that measures the same, is leased, and its result will be this one's too. A trial that has its result is no
// longer live; its id stays known until the job is forgotten, so that it never runs again.
//
// Owns the jobs and trials; pointers stay valid until Finish (trial) or Forget (job). Not thread-safe.
#ifndef TUNEFLEET_TRACKER_CORE_TRIAL_TABLE_H_
#define TUNEFLEET_TRACKER_CORE_TRIAL_TABLE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"
#include "proto/fleet.pb.h"
#include "proto/measurement.pb.h"
#include "tracker/core/event.h"
#include "tracker/core/fence.h"

namespace tunefleet::tracker {

struct Job;

// A lease that is out. Its fence is the trial's.
struct LeaseState {
  std::string device_id;
  std::string agent_id;
  absl::Time assigned_at;
  absl::Time waiting_since;  // when it became possible to start it
  bool started = false;
  absl::Time deadline = absl::InfiniteFuture();
};

struct Trial {
  std::shared_ptr<const v1::Trial> spec;
  Job* job = nullptr;
  uint64_t sequence = 0;        // place in line
  std::string identity;         // equal for twins
  std::string requirement_key;  // RequirementKey(spec->requirement())
  Fence fence;                  // of the last lease; zero: never leased
  int blames = 0;
  absl::Time queued_at;
  bool queued = false;
  std::optional<LeaseState> lease;

  const std::string& id() const { return spec->trial_id(); }
};

struct Job {
  v1::OpenJobRequest open;  // tenant is set
  uint64_t acknowledged = 0;
  uint64_t last_cursor = 0;
  absl::Time last_contact;
  std::map<uint64_t, Trial*> live;                                     // by sequence
  std::map<uint64_t, std::shared_ptr<const v1::TrialResult>> results;  // unacknowledged, by cursor
  std::map<WatcherId, uint64_t> watchers;  // each with the cursor after which it wants results

  const std::string& id() const { return open.job_id(); }
};

class TrialTable {
 public:
  // What stays of a trial that has its result.
  struct Finished {
    Job* job = nullptr;
    Fence fence;
  };

  TrialTable() = default;
  TrialTable(const TrialTable&) = delete;
  TrialTable& operator=(const TrialTable&) = delete;

  Job* FindJob(const std::string& job_id);
  Job* AddJob(const v1::OpenJobRequest& open);
  // Forgets a job without live trials, and the ids of its finished ones.
  void ForgetJob(Job* job);

  Trial* FindLive(const std::string& trial_id);
  const Finished* FindFinished(const std::string& trial_id) const;

  Trial* AddTrial(Job* job, std::shared_ptr<const v1::Trial> spec, uint64_t sequence, absl::Time now);
  // The trial has its result: no longer live. Deletes it.
  void Finish(Trial* trial);
  void AddFinished(Job* job, const std::string& trial_id, Fence fence) { finished_[trial_id] = {job, fence}; }

  // The live trials that measure the same as this one, itself among them, in line order.
  std::vector<Trial*> Twins(const Trial& trial) const;

  const std::map<std::string, std::unique_ptr<Job>>& jobs() const { return jobs_; }

 private:
  std::map<std::string, std::unique_ptr<Job>> jobs_;
  std::unordered_map<std::string, std::unique_ptr<Trial>> live_;       // by trial id; never iterated
  std::unordered_map<std::string, Finished> finished_;                 // by trial id
  std::unordered_map<std::string, std::map<uint64_t, Trial*>> twins_;  // by identity, then sequence
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_CORE_TRIAL_TABLE_H_
