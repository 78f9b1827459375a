// A worker: a process confined before the first artifact is opened. It obeys the commands of wire.h, for one kernel or
// for one after the other, until it is killed. It measures time and nothing else: it never sees the references.
//
// Of one kernel nothing is left for the next but what it did to the process on purpose: its code, buffers and
// descriptors are gone, limits count anew, every thread is as it was (thread_state.h).
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_WORKER_PROCESS_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_WORKER_PROCESS_H_

#include "device_server/sandbox/unique_fd.h"
#include "device_server/sandbox/wire.h"

namespace tunefleet::device {

// Runs in a fresh, single-threaded fork of the zygote. `socket`: the worker's end. `proc_fd`: an open /proc directory.
// `sandbox`: SandboxBits that hold already.
[[noreturn]] void RunWorker(const WorkerSpec& spec, UniqueFd socket, int proc_fd, uint32_t sandbox);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_WORKER_PROCESS_H_
