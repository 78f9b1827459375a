// The sentinel: a kernel of the agent's own whose time depends on the processor's clock and nothing else. A chain of
// dependent 64-bit multiplications: no memory, no branches to mispredict, one after the other whatever the width.
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_SENTINEL_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_SENTINEL_H_

#include <cstdint>

namespace tunefleet::device {

// Nanoseconds of one chain: the fastest of a few, so that an interruption does not count. Takes about 25 us.
uint64_t RunSentinel();
inline constexpr uint64_t kSentinelChains = 6;  // the few

// No processor is faster: one link of the chain in a cycle at 10 GHz.
inline constexpr uint64_t kShortestSentinelNs = 400;

// The clock that a reading stands for; 0 where the cycles of a multiplication are not known.
double SentinelMhz(uint64_t reading_ns);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_SENTINEL_H_
