// What an operator may tune about the fleet's rules. Defaults suit a real network; tests shorten them.
#ifndef TUNEFLEET_TRACKER_CORE_SETTINGS_H_
#define TUNEFLEET_TRACKER_CORE_SETTINGS_H_

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace tunefleet::tracker {

// The one version of the agent protocol that is spoken.
inline constexpr uint32_t kProtocolVersion = 1;

struct Settings {
  // Leases a device holds at once: the trial it times and the one prefetched behind it.
  size_t leases_per_device = 2;
  // A broken stream (or a restart of the tracker) revokes nothing for this long.
  absl::Duration grace = absl::Seconds(15);
  // A lease that is next on its device and still not started after this long goes back to the queue.
  absl::Duration start_timeout = absl::Minutes(10);
  // Added to what a trial's own options allow: fills, checks, prepare, a busy host.
  absl::Duration deadline_slack = absl::Seconds(30);
  // A trial is given up as LOST_DEVICE after it was started on this many devices that were then lost.
  int max_blames = 3;
  // A device is quarantined after this many DEVICE_ERROR results (or overrun deadlines) in a row ...
  int quarantine_after = 3;
  // ... and tried again after this long, doubled with every failed try.
  absl::Duration quarantine_backoff = absl::Seconds(30);
  absl::Duration max_quarantine_backoff = absl::Minutes(10);
  // Trials of a client that stays away expire, unless its job says otherwise.
  absl::Duration expire_after = absl::Hours(1);
  // A job with nothing live and everything acknowledged is forgotten when its client stays away this long; a device,
  // when it stays lost this long.
  absl::Duration forget_after = absl::Hours(24 * 30);
  // A lost device is given a power cycle when it stays lost this long, again after twice as long, and so on. Infinite:
  // never. In the whole fleet there is one at most every `power_cycle_pause`: when many go at once, it is not the
  // boards.
  absl::Duration power_cycle_after = absl::InfiniteDuration();
  absl::Duration max_power_cycle_backoff = absl::Hours(6);
  absl::Duration power_cycle_pause = absl::Seconds(10);
  // A probe that is not answered after this long fails.
  absl::Duration probe_timeout = absl::Minutes(2);
  size_t max_probes = 1000;
  // Agents known, connected or not, and the devices of all of them.
  size_t max_agents = 10000;
  size_t max_devices = 20000;
  // Live trials and unacknowledged results of one job.
  size_t max_trials_per_job = 20000;
  size_t max_jobs = 10000;
  // Event times are monotonic; this takes them to wall time (TrialResult.finished_at of results made here).
  absl::Duration wall_offset = absl::ZeroDuration();
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_CORE_SETTINGS_H_
