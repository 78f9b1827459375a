#include "device_server/worker/sentinel.h"

#include <time.h>

#include <algorithm>

namespace tunefleet::device {
namespace {

constexpr int kLinks = 4'000;
static_assert(kLinks / 10 == kShortestSentinelNs);
#if defined(__x86_64__)
constexpr double kCyclesPerLink = 3;  // of imul on every core since Nehalem and Zen
#else
constexpr double kCyclesPerLink = 0;
#endif

uint64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_RAW, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t RunChain(uint64_t value) {
  for (int i = 0; i < kLinks; ++i) {
    value *= 0x9e37'79b9'7f4a'7c15u;
    asm volatile("" : "+r"(value));  // every link is computed
  }
  return value;
}

}  // namespace

uint64_t RunSentinel() {
  uint64_t value = 1;
  uint64_t best = ~uint64_t{0};
  for (uint64_t i = 0; i < kSentinelChains; ++i) {
    const uint64_t begin = NowNs();
    value = RunChain(value);
    best = std::min(best, NowNs() - begin);
  }
  return std::max<uint64_t>(best, 1);
}

double SentinelMhz(uint64_t reading_ns) {
  return reading_ns == 0 ? 0 : kLinks * kCyclesPerLink * 1000 / static_cast<double>(reading_ns);
}

}  // namespace tunefleet::device
