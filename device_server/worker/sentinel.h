// The sentinel: a kernel of the agent's own whose time depends on the processor's clock and nothing else. A chain of
// dependent 64-bit multiplications: no memory, no branches to mispredict, one after the other whatever the width.
//
// Beside it a loop of the opposite kind, which keeps the core's units busy with independent multiplications, additions
// and loads: its time says how much of the core this thread is given. Another thread of the same core, a virtual
// machine's neighbour for instance, changes it, and the time of most kernels with it, while the chain takes as long as
// ever.
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_SENTINEL_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_SENTINEL_H_

#include <cstdint>

namespace tunefleet::device {

// Nanoseconds of one chain: the fastest of a few, so that an interruption does not count. Takes about 25 us.
uint64_t RunSentinel();
inline constexpr uint64_t kSentinelChains = 6;  // the few

// No processor is faster: one link of the chain in a cycle at 10 GHz.
inline constexpr uint64_t kShortestSentinelNs = 400;

// Nanoseconds of the loop: the fastest of a few. Takes about 6 us. 0 where there is none for the architecture.
uint64_t RunUnits();

// The clock that a reading stands for; 0 where the cycles of a multiplication are not known.
double SentinelMhz(uint64_t reading_ns);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_SENTINEL_H_
