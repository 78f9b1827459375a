// What becomes of a worker's forbidden system calls and faults: a report to the supervisor, then the end.
//
// The seccomp filter turns a call off the allow-list into SIGSYS. The handler makes the few that opening and loading a
// kernel need (the artifact is handed out as a descriptor, no path is ever opened), and those for memory: the first
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
  int own_fds = 0;      // descriptors below this stay open
  uint64_t cookie = 0;  // see seccomp_filter.h
};

// Installs the handlers for the process.
void InstallTraps(const TrapContext& context);

// The kernel that handlers deal with, copied; what it points to outlives its code.
struct TrappedKernel {
  int code_fd = -1;
  const char* code_path = nullptr;  // what dlopen is asked to open
  const MappedBuffers* buffers = nullptr;
};
void SetTrappedKernel(const TrappedKernel& kernel);

// What the reports of handlers carry: the serial number of the command that is being obeyed.
void SetTrappedCommand(uint32_t serial);

// Gives the calling thread a stack for the handlers. Every thread that runs foreign code needs it.
void UseTrapStack();

// What handlers make besides requests for memory.
enum class Permission : int {
  kNothing,
  kLoading,  // foreign code may run: open the artifact, close its descriptors
  kOpening,  // our own code alone runs: receive a kernel, close descriptors, change limits
};
void Permit(Permission permission);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_TRAPS_H_
