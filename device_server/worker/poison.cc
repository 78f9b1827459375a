#include "device_server/worker/poison.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tunefleet::device {
namespace {

// Code generators keep at most half of this on the stack (LoweringLimits::max_local_bytes in codegen/lowering).
constexpr size_t kStackBytes = 128 << 10;

[[gnu::noinline]] void PoisonStack() {
  char below[kStackBytes];
  std::memset(below, 0xff, sizeof(below));
  asm volatile("" : : "r"(below) : "memory");  // not left out for never being read
}

#if defined(__x86_64__)

#define ONES_XMM(n) "pcmpeqd %%xmm" #n ", %%xmm" #n "\n\t"
#define ONES_YMM(n) "vpcmpeqd %%ymm" #n ", %%ymm" #n ", %%ymm" #n "\n\t"
#define ONES_ZMM(n) "vpternlogd $0xff, %%zmm" #n ", %%zmm" #n ", %%zmm" #n "\n\t"
#define FIRST_16(ones)                                                                                                \
  ones(0) ones(1) ones(2) ones(3) ones(4) ones(5) ones(6) ones(7) ones(8) ones(9) ones(10) ones(11) ones(12) ones(13) \
      ones(14) ones(15)
#define LAST_16(ones)                                                                                                  \
  ones(16) ones(17) ones(18) ones(19) ones(20) ones(21) ones(22) ones(23) ones(24) ones(25) ones(26) ones(27) ones(28) \
      ones(29) ones(30) ones(31)

// No clobbers: the caller's call clobbers them all, and nothing of this function lives in them.
void PoisonRegisters() {
  if (__builtin_cpu_supports("avx512f")) {
    asm volatile(FIRST_16(ONES_ZMM) LAST_16(ONES_ZMM)::);
  } else if (__builtin_cpu_supports("avx2")) {
    asm volatile(FIRST_16(ONES_YMM)::);
  } else {
    asm volatile(FIRST_16(ONES_XMM)::);
  }
}

#elif defined(__aarch64__)

#define ONES(n) "movi v" #n ".16b, #0xff\n\t"

void PoisonRegisters() {
  // v8 to v15 belong to the caller.
  asm volatile(ONES(0) ONES(1) ONES(2) ONES(3) ONES(4) ONES(5) ONES(6) ONES(7)::);
  asm volatile(ONES(16) ONES(17) ONES(18) ONES(19) ONES(20) ONES(21) ONES(22) ONES(23)::);
  asm volatile(ONES(24) ONES(25) ONES(26) ONES(27) ONES(28) ONES(29) ONES(30) ONES(31)::);
}

#elif defined(__arm__) && defined(__ARM_NEON)

#define ONES(n) "vmov.i8 q" #n ", #0xff\n\t"

void PoisonRegisters() {
  // q4 to q7 belong to the caller.
  asm volatile(ONES(0) ONES(1) ONES(2) ONES(3)::);
  asm volatile(ONES(8) ONES(9) ONES(10) ONES(11) ONES(12) ONES(13) ONES(14) ONES(15)::);
}

#elif defined(__riscv) && __riscv_flen == 64

#define ONES(name) "fmv.d.x " #name ", %0\n\t"

void PoisonRegisters() {
  // fs0 to fs11 belong to the caller.
  const int64_t ones = -1;
  asm volatile(ONES(ft0) ONES(ft1) ONES(ft2) ONES(ft3) ONES(ft4) ONES(ft5) : : "r"(ones));
  asm volatile(ONES(ft6) ONES(ft7) ONES(ft8) ONES(ft9) ONES(ft10) ONES(ft11) : : "r"(ones));
  asm volatile(ONES(fa0) ONES(fa1) ONES(fa2) ONES(fa3) ONES(fa4) ONES(fa5) ONES(fa6) ONES(fa7) : : "r"(ones));
}

#else

void PoisonRegisters() {}

#endif

}  // namespace

void PoisonScratch() {
  PoisonStack();
  PoisonRegisters();
}

void CleanRegisters() {
#if defined(__x86_64__)
  // Dirty upper halves would slow down code without AVX.
  if (__builtin_cpu_supports("avx")) asm volatile("vzeroupper" ::);
#endif
}

}  // namespace tunefleet::device
