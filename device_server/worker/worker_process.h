// A worker: one kernel of one trial, in a process of its own, confined before the artifact is opened. It obeys the
// commands of wire.h until it is killed. It measures time and nothing else: it never sees the references.
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_WORKER_PROCESS_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_WORKER_PROCESS_H_

#include <vector>

#include "device_server/sandbox/unique_fd.h"
#include "device_server/sandbox/wire.h"

namespace tunefleet::device {

// Runs in a fresh, single-threaded fork of the zygote. `fds`: the socket, the code, the buffer files. `proc_fd`: an
// open /proc directory. `sandbox`: SandboxBits that hold already.
[[noreturn]] void RunWorker(const WorkerSpec& spec, std::vector<UniqueFd> fds, int proc_fd, uint32_t sandbox);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_WORKER_PROCESS_H_
