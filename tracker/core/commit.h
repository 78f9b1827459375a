// What the tracker must not forget: the changes that the core asks the store to make durable, and the snapshot that a
// new core is built from. Plain values.
//
// One Commit is one atomic change. Commits are numbered from 1 in the order in which they must become durable.
#ifndef TUNEFLEET_TRACKER_CORE_COMMIT_H_
#define TUNEFLEET_TRACKER_CORE_COMMIT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "proto/fleet.pb.h"
#include "proto/measurement.pb.h"
#include "tracker/core/fence.h"

namespace tunefleet::tracker {

// Opens a job or replaces what its client said about it.
struct PutJob {
  v1::OpenJobRequest open;
};
// Accepts a trial. `sequence` is its place in line, unique in the tracker.
struct PutTrial {
  std::string job_id;
  uint64_t sequence = 0;
  std::shared_ptr<const v1::Trial> trial;
};
// Leases a trial. The fence must be newer than the trial's stored one.
struct PutLease {
  std::string trial_id;
  Fence fence;
  std::string device_id;
  std::string agent_id;
};
struct StartLease {
  std::string trial_id;
  Fence fence;
};
// Ends a lease without a result: the trial is queued again. Its fence stays.
struct DropLease {
  std::string trial_id;
  Fence fence;
  int blames = 0;  // of the trial, from now on
};
// Ends a trial. Under an older fence than the trial's it is refused; so is a second result, or a cursor that is not the
// job's next.
struct PutResult {
  std::string job_id;
  uint64_t cursor = 0;
  Fence fence;
  std::shared_ptr<const v1::TrialResult> result;
};
// Forgets the results up to the cursor. The trial ids stay known, so that none of them runs again.
struct ForgetResults {
  std::string job_id;
  uint64_t cursor = 0;
};
struct ForgetJob {
  std::string job_id;
};

// What is known of a device: who offers it, what it is, and its quarantine, so that a tracker that starts knows which
// devices are missing and which are not to be trusted.
struct PutDevice {
  v1::Device device;
  std::string agent_id;
  uint64_t incarnation = 0;  // of the agent: a restart of the agent ends the quarantine, one of the tracker does not
  bool withdrawn = false;    // drained, or no longer offered: nobody misses it
  int quarantines = 0;       // in a row
  std::string quarantine_cause;  // empty: it is in none
};
struct ForgetDevice {
  std::string device_id;
};

using StoreOp = std::variant<PutJob, PutTrial, PutLease, StartLease, DropLease, PutResult, ForgetResults, ForgetJob,
                             PutDevice, ForgetDevice>;

struct Commit {
  uint64_t number = 0;
  std::vector<StoreOp> ops;
};

// Everything durable, as it is when a tracker starts.
struct Snapshot {
  struct Job {
    v1::OpenJobRequest open;
    uint64_t acknowledged = 0;
    uint64_t last_cursor = 0;
  };
  struct Trial {
    std::string trial_id;
    std::string job_id;
    uint64_t sequence = 0;
    Fence fence;
    int blames = 0;
    std::shared_ptr<const v1::Trial> trial;  // null: it has its result
  };
  struct Lease {
    std::string trial_id;
    Fence fence;
    std::string device_id;
    std::string agent_id;
    bool started = false;
  };
  struct Result {
    std::string job_id;
    uint64_t cursor = 0;
    std::shared_ptr<const v1::TrialResult> result;
  };
  uint64_t epoch = 0;  // of the tracker that starts: higher than every stored fence's
  std::vector<Job> jobs;
  std::vector<Trial> trials;
  std::vector<Lease> leases;
  std::vector<Result> results;  // unacknowledged
  std::vector<PutDevice> devices;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_CORE_COMMIT_H_
