// What becomes of a worker's forbidden system calls and faults: a report to the supervisor, then the end.
//
// The seccomp filter turns a call off the allow-list into SIGSYS. The handler makes the few that loading a kernel needs
// (the artifact is handed out as a descriptor, no path is ever opened), and carries out requests for memory: the first
// that the kernel of the operating system refuses is reported as kNoMemory, so that a kernel that allocates without end
// is told from one that crashes. Everything else is reported as kForbidden. Fault signals are reported as kFault with
// the buffer nearby.
//
// Signal handlers have no argument of ours: this file holds the worker process's only global state, set before the
// handlers are installed. Handlers are async-signal-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_TRAPS_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_TRAPS_H_

#include <cstdint>

#include "device_server/worker/mapped_buffers.h"

namespace tunefleet::device {

struct TrapContext {
  int report_fd = -1;
  int code_fd = -1;
  const char* code_path = nullptr;  // what dlopen is asked to open
  uint64_t cookie = 0;              // see seccomp_filter.h
  const MappedBuffers* buffers = nullptr;
};

// Installs the handlers for the process. `context` is copied; what it points to outlives the process.
void InstallTraps(const TrapContext& context);

// Gives the calling thread a stack for the handlers. Every thread that runs foreign code needs it.
void UseTrapStack();

// Between these two the artifact may be opened and closed.
void BeginLoading();
void EndLoading();

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_TRAPS_H_
