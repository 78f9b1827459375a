#include "device_server/worker/priority.h"

#include <sched.h>
#include <sys/resource.h>

#include <algorithm>

namespace tunefleet::device {
namespace {

constexpr int kFifoPriority = 1;              // the lowest of real time
constexpr int kNiceLevel = -5;                // behind the agent's control thread
constexpr rlim_t kMostUnblocked = 5'000'000;  // us that a real-time process may run without waiting for anything

// A zygote that went round in circles would keep its core from everything else, its own supervisor included. Workers,
// which run kernels for long, have limits of their own.
void LimitRealTime(bool limited) {
  rlimit limit;
  if (getrlimit(RLIMIT_RTTIME, &limit) != 0) return;
  limit.rlim_cur = limited ? std::min(limit.rlim_max, kMostUnblocked) : limit.rlim_max;
  setrlimit(RLIMIT_RTTIME, &limit);
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

void RaisePriority() {
  const sched_param parameter{.sched_priority = kFifoPriority};
  // What is refused is left as it is, but for the rank of the thread that started this process: that is not for
  // kernels.
  if (setpriority(PRIO_PROCESS, 0, kNiceLevel) != 0) setpriority(PRIO_PROCESS, 0, 0);
  sched_setscheduler(0, SCHED_FIFO, &parameter);
  LimitRealTime(true);
}

Scheduling KeepPriority(bool real_time) {
  LimitRealTime(false);
  const bool is_fifo = sched_getscheduler(0) == SCHED_FIFO;
  if (is_fifo && real_time) return Scheduling::kFifo;
  const sched_param ordinary{.sched_priority = 0};
  if (is_fifo) sched_setscheduler(0, SCHED_OTHER, &ordinary);
  return getpriority(PRIO_PROCESS, 0) < 0 ? Scheduling::kNice : Scheduling::kNormal;
}

}  // namespace tunefleet::device
