// The rank of workers among the machine's processes: real time where that is allowed, so that nothing else runs on a
// measuring core while a kernel does.
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_PRIORITY_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_PRIORITY_H_

#include <cstdint>

namespace tunefleet::device {

enum class Scheduling : uint32_t {
  kNormal = 0,
  kNice = 1,  // ahead of ordinary processes
  kFifo = 2,  // real time: ahead of all of them
};

// "normal", "nice", "fifo": for the device attribute and the telemetry.
const char* SchedulingName(Scheduling scheduling);

// In the agent, before the zygote starts: lets processes started from now on raise their own rank, where the agent may
// allow that. Without it RaisePriority falls back.
void AllowRaisingPriority();

// Raises the calling thread, and threads that it starts later, as far as allowed: to kFifo if `real_time` (only where a
// core is left for everything else), else to kNice. Returns what it came to.
Scheduling RaisePriority(bool real_time);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_PRIORITY_H_
