/* Kernels of known behaviour that the agent carries with it: what --self-test and the benchmarks of the timing measure.
 * One shared object for all of them; the first buffer says what to do.
 *
 *   buffers[0]  input, 4 uint32: kind, size, 0, 0
 *   buffers[1]  input, as many floats as the kind reads, in [-1, 1)
 *   buffers[2]  output, 64 floats
 *
 *   kind 0, chain     `size` dependent multiplications: time in proportion to size, by the clock alone
 *   kind 1, stream    the sums of the first `size` floats, a multiple of 32, in 32 lanes: caches or memory
 *   kind 2, product   of two size x size matrices of floats, size 16, 32, 48 or 64: arithmetic out of the first cache;
 *                     the sums of its columns
 *   kind 3, parallel  `size` tasks, each a chain of 10000: the threads of the pool, and what launches cost
 *
 * C without a library (the compiler's own included: no 64-bit conversions, which 32-bit machines call it for), for the
 * agent's own architecture. Compiled into the agent too, under another name, to compute what the outputs must be.
 */
#include "common/kernel_abi.h"

#define LANES 64
#define TASK_LINKS 10000

typedef float vector __attribute__((vector_size(16), may_alias));

static uint64_t multiply(uint32_t links) {
  uint64_t value = 1;
  for (uint32_t i = 0; i < links; ++i) {
    value *= 0x9e3779b97f4a7c15u;
    __asm__ volatile("" : "+r"(value)); /* every link is computed */
  }
  return value;
}

static void chain(uint32_t size, float* out) {
  const uint32_t value = (uint32_t)multiply(size);
  for (int i = 0; i < LANES; ++i) out[i] = (float)((value >> i % 16) & 0xffff);
}

/* Sums stay in registers: where they go through memory, the time is that of forwarding a store to the next load, which
 * processors guess at, now well and now badly. */
static void stream(uint32_t size, const float* in, float* out) {
  const vector* next = (const vector*)in;
  const vector* const end = (const vector*)(in + size);
  vector s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
  for (; next != end; next += 8) {
    s0 += next[0], s1 += next[1], s2 += next[2], s3 += next[3];
    s4 += next[4], s5 += next[5], s6 += next[6], s7 += next[7];
  }
  vector* const sums = (vector*)out;
  sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3, sums[4] = s4, sums[5] = s5, sums[6] = s6, sums[7] = s7;
  for (int lane = 32; lane < LANES; ++lane) out[lane] = 0;
}

/* Two rows by sixteen columns at a time. */
static void product(uint32_t size, const float* a, float* out) {
  const float* b = a + size * size;
  for (int j = 0; j < LANES; ++j) out[j] = 0;
  for (uint32_t i = 0; i < size; i += 2) {
    for (uint32_t j = 0; j < size; j += 16) {
      vector s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0};
      for (uint32_t k = 0; k < size; ++k) {
        const vector* const row = (const vector*)(b + k * size + j);
        const float s = a[i * size + k], t = a[(i + 1) * size + k];
        s0 += s * row[0], s1 += s * row[1], s2 += s * row[2], s3 += s * row[3];
        t0 += t * row[0], t1 += t * row[1], t2 += t * row[2], t3 += t * row[3];
      }
      vector* const sums = (vector*)(out + j);
      sums[0] += s0 + t0, sums[1] += s1 + t1, sums[2] += s2 + t2, sums[3] += s3 + t3;
    }
  }
}

static void run_task(void* argument, int64_t index) {
  float* out = (float*)argument;
  const uint32_t value = (uint32_t)multiply(TASK_LINKS);
  if (index < LANES) out[index] = (float)(value & 0xff) + (float)(int32_t)index;
}

int32_t tf_run(void* const* buffers, void* workspace, const tf_runtime* runtime) {
  const uint32_t* order = (const uint32_t*)buffers[0];
  const float* in = (const float*)buffers[1];
  float* out = (float*)buffers[2];
  (void)workspace;
  switch (order[0]) {
    case 0:
      chain(order[1], out);
      return 0;
    case 1:
      stream(order[1], in, out);
      return 0;
    case 2:
      product(order[1], in, out);
      return 0;
    case 3:
      for (int i = 0; i < LANES; ++i) out[i] = 0;
      if (runtime == 0) {
        for (int64_t i = 0; i < order[1]; ++i) run_task(out, i);
      } else {
        runtime->parallel_for(runtime, order[1], run_task, out);
      }
      return 0;
    default:
      return 1;
  }
}
