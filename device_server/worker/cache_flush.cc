#include "device_server/worker/cache_flush.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace tunefleet::device {

#if defined(__x86_64__)

bool CanFlushCaches() { return true; }

void FlushRange(const void* data, uint64_t size_bytes) {
  const char* const bytes = static_cast<const char*>(data);
  for (uint64_t i = 0; i < size_bytes; i += 64) _mm_clflush(bytes + i);
}

void FlushDone() { _mm_mfence(); }

#elif defined(__aarch64__)

bool CanFlushCaches() { return true; }

void FlushRange(const void* data, uint64_t size_bytes) {
  uint64_t type = 0;
  asm("mrs %0, ctr_el0" : "=r"(type));
  const uint64_t line = uint64_t{4} << ((type >> 16) & 15);
  const uint64_t begin = reinterpret_cast<uint64_t>(data) / line * line;
  for (uint64_t i = begin; i < reinterpret_cast<uint64_t>(data) + size_bytes; i += line) {
    asm volatile("dc civac, %0" : : "r"(i) : "memory");
  }
}

void FlushDone() { asm volatile("dsb sy" : : : "memory"); }

#else

bool CanFlushCaches() { return false; }
void FlushRange(const void*, uint64_t) {}
void FlushDone() {}

#endif

void SweepRange(void* data, uint64_t size_bytes) {
  constexpr uint64_t kSmallestLine = 32;
  volatile char* const bytes = static_cast<volatile char*>(data);
  for (uint64_t i = 0; i < size_bytes; i += kSmallestLine) bytes[i] = static_cast<char>(bytes[i] + 1);
}

}  // namespace tunefleet::device
