#include "device_server/worker/sentinel.h"

#include <time.h>

#include <algorithm>

namespace tunefleet::device {
namespace {

constexpr int kLinks = 4'000;
constexpr uint64_t kUnitRuns = 8;  // in a reading
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

#if defined(__x86_64__)
void KeepUnitsBusy() {
  alignas(16) static constexpr float kOnes[4] = {1, 1, 1, 1};
  int64_t turns = 60;
  asm volatile(
      "movaps %1, %%xmm0\n"
      "1:\n"
      ".rept 16\n"
      "mulps %%xmm0, %%xmm1\n"
      "addps %%xmm0, %%xmm2\n"
      "movaps %1, %%xmm3\n"
      "mulps %%xmm0, %%xmm4\n"
      "addps %%xmm0, %%xmm5\n"
      "mulps %%xmm0, %%xmm6\n"
      "addps %%xmm0, %%xmm7\n"
      "movaps %1, %%xmm8\n"
      ".endr\n"
      "dec %0\n"
      "jnz 1b\n"
      : "+r"(turns)
      : "m"(kOnes)
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "cc");
}
#endif

// Of so many runs, so that an interruption does not count.
template <typename Run>
uint64_t FastestNs(uint64_t runs, Run run) {
  uint64_t best = ~uint64_t{0};
  for (uint64_t i = 0; i < runs; ++i) {
    const uint64_t begin = NowNs();
    run();
    best = std::min(best, NowNs() - begin);
  }
  return std::max<uint64_t>(best, 1);
}

}  // namespace

uint64_t RunSentinel() {
  uint64_t value = 1;
  return FastestNs(kSentinelChains, [&] { value = RunChain(value); });
}

uint64_t RunUnits() {
#if defined(__x86_64__)
  return FastestNs(kUnitRuns, KeepUnitsBusy);
#else
  return 0;
#endif
}

double SentinelMhz(uint64_t reading_ns) {
  return reading_ns == 0 ? 0 : kLinks * kCyclesPerLink * 1000 / static_cast<double>(reading_ns);
}

}  // namespace tunefleet::device
