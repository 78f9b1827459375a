// The isolation that all workers share, put on once in the zygote: an identity without rights, and namespaces of its
// own for processes, network, mounts and IPC. Every measure is tried; what the machine does not permit is left out and
// shows in the returned bits.
#ifndef TUNEFLEET_DEVICE_SERVER_SANDBOX_ISOLATION_H_
#define TUNEFLEET_DEVICE_SERVER_SANDBOX_ISOLATION_H_

#include <cstdint>

namespace tunefleet::device {

// Single-threaded processes only. Afterwards the *next fork* starts the process namespace. `hide_files` also makes the
// file system an empty read-only directory. Returns SandboxBits.
uint32_t IsolateProcess(bool hide_files);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_SANDBOX_ISOLATION_H_
