// What a kernel finds where it must not look: registers and stack that hold no zeros, so that a sum which is never
// started, or only in part of its lanes, comes out wrong instead of right by luck.
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_POISON_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_POISON_H_

namespace tunefleet::device {

// Fills the stack below the caller's frame, more of it than a kernel's own buffers take, and the vector registers that
// a function may use without saving them, with NaN. The call to be poisoned comes next. On processors other than x86-64
// and AArch64 the stack alone.
void PoisonScratch();

// Leaves the vector registers as compiled code expects them between functions.
void CleanRegisters();

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_POISON_H_
