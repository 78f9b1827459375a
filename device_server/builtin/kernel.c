/* Kernels of known behaviour that the agent carries with it: what --self-test and the benchmarks of the timing measure.
 * One shared object for all of them; the first buffer says what to do.
 *
 *   buffers[0]  input, 4 uint32: kind, size, 0, 0
 *   buffers[1]  input, as many floats as the kind reads, in [-1, 1)
 *   buffers[2]  output, 64 floats
 *
 *   kind 0, chain     `size` dependent multiplications: time in proportion to size, by the clock alone
 *   kind 1, stream    the sums of the first `size` floats, a multiple of 64, in 64 lanes: caches or memory
 *   kind 2, product   of two size x size matrices of floats, size at most 64: arithmetic out of the first cache
 *   kind 3, parallel  `size` tasks, each a chain of 10000: the threads of the pool, and what launches cost
 *
 * Plain C without a library (the compiler's own included: no 64-bit conversions, which 32-bit machines call it for), for the agent's own architecture. Compiled into the agent too, under another name, to
 * compute what the outputs must be.
 */
#include "common/kernel_abi.h"

#define LANES 64
#define TASK_LINKS 10000

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

static void stream(uint32_t size, const float* in, float* out) {
  float sums[LANES];
  for (int lane = 0; lane < LANES; ++lane) sums[lane] = 0;
  for (uint32_t i = 0; i < size; i += LANES) {
    for (int lane = 0; lane < LANES; ++lane) sums[lane] += in[i + lane];
  }
  for (int lane = 0; lane < LANES; ++lane) out[lane] = sums[lane];
}

static void product(uint32_t size, const float* a, float* out) {
  const float* b = a + size * size;
  float row[LANES];
  for (int j = 0; j < LANES; ++j) out[j] = 0;
  for (uint32_t i = 0; i < size; ++i) {
    for (int j = 0; j < LANES; ++j) row[j] = 0;
    for (uint32_t k = 0; k < size; ++k) {
      for (uint32_t j = 0; j < size; ++j) row[j] += a[i * size + k] * b[k * size + j];
    }
    for (uint32_t j = 0; j < size; ++j) out[j] += row[j];
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
