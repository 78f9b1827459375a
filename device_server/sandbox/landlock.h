// Landlock: the calling thread, and threads and processes that it starts later, lose every right to files, to TCP, and
// (newer kernels) to abstract sockets and signals outside the worker. Files already open stay usable.
#ifndef TUNEFLEET_DEVICE_SERVER_SANDBOX_LANDLOCK_H_
#define TUNEFLEET_DEVICE_SERVER_SANDBOX_LANDLOCK_H_

namespace tunefleet::device {

// Needs no_new_privs. False when the kernel has no Landlock.
bool RestrictWithLandlock();

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_SANDBOX_LANDLOCK_H_
