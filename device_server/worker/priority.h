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

// In the zygote, while it still has the rights: raises the calling process as far as the machine allows. Workers
// inherit it. From then on the kernel ends a process that runs at real time for 5 s without waiting for anything.
void RaisePriority();

// In a worker, whose own limits hold from now on: keeps real time only if `real_time` (where a core is left for
// everything else). Threads started later inherit it. Returns the rank it came to.
Scheduling KeepPriority(bool real_time);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_PRIORITY_H_
