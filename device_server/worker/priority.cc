#include "device_server/worker/priority.h"

#include <sched.h>
#include <sys/resource.h>

namespace tunefleet::device {
namespace {

constexpr int kFifoPriority = 1;  // the lowest of real time
constexpr int kNiceLevel = -5;    // behind the agent's control thread
constexpr rlim_t kNiceLimit = 20 - kNiceLevel;

void RaiseLimit(decltype(RLIMIT_NICE) resource, rlim_t wanted) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || (limit.rlim_cur >= wanted && limit.rlim_max >= wanted)) return;
  const rlimit raised{wanted, wanted > limit.rlim_max ? wanted : limit.rlim_max};
  setrlimit(resource, &raised);  // refused to the unprivileged: then there is no raising
}

}  // namespace

const char* SchedulingName(Scheduling scheduling) {
  switch (scheduling) {
    case Scheduling::kNormal:
      return "normal";
    case Scheduling::kNice:
      return "nice";
    case Scheduling::kFifo:
      return "fifo";
  }
  return "normal";
}

void AllowRaisingPriority() {
  RaiseLimit(RLIMIT_RTPRIO, kFifoPriority);
  RaiseLimit(RLIMIT_NICE, kNiceLimit);
}

Scheduling RaisePriority(bool real_time) {
  const sched_param parameter{.sched_priority = kFifoPriority};
  if (real_time && sched_setscheduler(0, SCHED_FIFO, &parameter) == 0) return Scheduling::kFifo;
  if (setpriority(PRIO_PROCESS, 0, kNiceLevel) == 0) return Scheduling::kNice;
  return Scheduling::kNormal;
}

}  // namespace tunefleet::device
