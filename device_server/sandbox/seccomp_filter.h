// The system call filter of a worker: an allow-list in classic BPF.
//
// Allowed outright: reading, file-backed mappings, unmapping, futexes, the clock, ending oneself. Allowed for the
// worker's own trap handler alone, which passes a secret 64-bit cookie in an argument that the call ignores: memory
// growth (brk, mremap, anonymous mmap), dup and close, recvmsg, and prlimit on the calling process. Writing is allowed
// to the report socket alone. Everything else, and those calls without the cookie, traps (SIGSYS): traps.h decides what
// becomes of it.
//
// The cookie lies in the worker's memory, where a kernel that looks for it finds it. What it admits is therefore chosen
// so that a worker harms nobody but itself with it.
#ifndef TUNEFLEET_DEVICE_SERVER_SANDBOX_SECCOMP_FILTER_H_
#define TUNEFLEET_DEVICE_SERVER_SANDBOX_SECCOMP_FILTER_H_

#include <cstdint>

namespace tunefleet::device {

// True where this kernel and this architecture can filter.
bool SeccompAvailable();

// Puts the filter on every thread of the process. `cookie` is a page-aligned value under 2^47, so that it is a valid
// file offset too. Needs no_new_privs. False when the kernel refuses.
bool InstallSeccompFilter(int report_fd, uint64_t cookie);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_SANDBOX_SECCOMP_FILTER_H_
