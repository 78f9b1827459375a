// Evicts memory from every level of cache, so that the next access goes to DRAM. For cold-cache timings.
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_CACHE_FLUSH_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_CACHE_FLUSH_H_

#include <cstdint>

namespace tunefleet::device {

// True where the architecture lets a user program evict a line.
bool CanFlushCaches();

void FlushRange(const void* data, uint64_t size_bytes);

// Waits until all flushes are done.
void FlushDone();

// Writes to every line of the range: with a range well over the caches' size it drives everything else out of them. For
// machines that cannot flush.
void SweepRange(void* data, uint64_t size_bytes);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_CACHE_FLUSH_H_
