// The queued trials: one queue per distinct Requirement, in it one line per tenant, ordered by priority and then by
// sequence.
//
// Fair share: a device serves, of the tenants that have a trial for it, the one that it served longest ago (then the
// one that the whole fleet served longest ago). Tenants so share every device trial by trial, however many trials each
// has.
//
// Does not own the trials. Not thread-safe.
#ifndef TUNEFLEET_TRACKER_CORE_TRIAL_QUEUES_H_
#define TUNEFLEET_TRACKER_CORE_TRIAL_QUEUES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "tracker/core/requirement.h"
#include "tracker/core/trial_table.h"

namespace tunefleet::tracker {

// When each tenant was last served: a count that rises by one with every lease given.
using ServiceTimes = std::map<std::string, uint64_t>;

class TrialQueues {
 public:
  // The trial must not be queued. Reads its job's tenant and priority: to change those, Remove first and Add again.
  void Add(Trial* trial);
  // Does nothing when the trial is not queued.
  void Remove(Trial* trial);

  // The trial that a device with these attributes should run next; null when there is none. `served` is the device's.
  Trial* Next(const AttributeMap& attributes, const ServiceTimes& served) const;
  // A trial of this tenant was leased to the device that `served` belongs to.
  void Serve(const std::string& tenant, ServiceTimes* served);

  bool empty() const { return queues_.empty(); }

 private:
  using Place = std::pair<int64_t, uint64_t>;  // negated priority, sequence
  struct Queue {
    v1::Requirement requirement;
    std::map<std::string, std::map<Place, Trial*>> lines;  // by tenant, none empty
  };

  static Place PlaceOf(const Trial& trial);

  std::map<std::string, Queue> queues_;  // by RequirementKey, none empty
  ServiceTimes served_;                  // by any device
  uint64_t serial_ = 0;
};

}  // namespace tunefleet::tracker

#endif  // TUNEFLEET_TRACKER_CORE_TRIAL_QUEUES_H_
