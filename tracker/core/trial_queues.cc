#include "tracker/core/trial_queues.h"

#include <tuple>

#include "common/check.h"

namespace tunefleet::tracker {
namespace {

uint64_t LastServed(const ServiceTimes& served, const std::string& tenant) {
  const auto found = served.find(tenant);
  return found == served.end() ? 0 : found->second;
}

}  // namespace

TrialQueues::Place TrialQueues::PlaceOf(const Trial& trial) {
  return {-int64_t{trial.job->open.priority()}, trial.sequence};
}

void TrialQueues::Add(Trial* trial) {
  TF_CHECK(!trial->queued && !trial->lease.has_value(), "only a trial that is neither queued nor leased is queued");
  Queue& queue = queues_[trial->requirement_key];
  if (queue.lines.empty()) queue.requirement = trial->spec->requirement();
  queue.lines[trial->job->open.tenant()][PlaceOf(*trial)] = trial;
  trial->queued = true;
}

void TrialQueues::Remove(Trial* trial) {
  if (!trial->queued) return;
  const auto queue = queues_.find(trial->requirement_key);
  TF_CHECK(queue != queues_.end(), "a queued trial has a queue");
  const auto line = queue->second.lines.find(trial->job->open.tenant());
  TF_CHECK(line != queue->second.lines.end() && line->second.erase(PlaceOf(*trial)) == 1, "a queued trial is in line");
  if (line->second.empty()) queue->second.lines.erase(line);
  if (queue->second.lines.empty()) queues_.erase(queue);
  trial->queued = false;
}

Trial* TrialQueues::Next(const AttributeMap& attributes, const ServiceTimes& served) const {
  Trial* best = nullptr;
  // Smaller is sooner: tenants by when they were served, then the tenant's own trials by their place.
  std::tuple<uint64_t, uint64_t, std::string, Place> best_rank;
  for (const auto& [key, queue] : queues_) {
    if (!Matches(queue.requirement, attributes)) continue;
    for (const auto& [tenant, line] : queue.lines) {
      const auto& [place, trial] = *line.begin();
      const std::tuple rank(LastServed(served, tenant), LastServed(served_, tenant), tenant, place);
      if (best == nullptr || rank < best_rank) {
        best = trial;
        best_rank = rank;
      }
    }
  }
  return best;
}

void TrialQueues::Serve(const std::string& tenant, ServiceTimes* served) {
  ++serial_;
  served_[tenant] = serial_;
  (*served)[tenant] = serial_;
}

}  // namespace tunefleet::tracker
