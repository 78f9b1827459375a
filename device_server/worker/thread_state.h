// What a thread would carry from one kernel to the next, besides what lies in memory.
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_THREAD_STATE_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_THREAD_STATE_H_

namespace tunefleet::device {

// The calling thread's modes of floating point (rounding, denormals), vector registers and blocked signals are those of
// a new process.
void ResetThreadState();

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_THREAD_STATE_H_
