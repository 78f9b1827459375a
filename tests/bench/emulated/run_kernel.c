// Runs a kernel some times, on zeros: for counting its instructions under an emulator.
//
//   run_kernel RUNS KERNEL.so WORKSPACE-BYTES BUFFER-BYTES ...
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernel_abi.h"

enum { kMostBuffers = 32, kAlignment = 64, kSlack = 4096 };

static void* Allocate(const char* bytes) {
  const size_t size = (strtoull(bytes, NULL, 10) + kSlack) / kAlignment * kAlignment;
  void* const memory = aligned_alloc(kAlignment, size);
  return memory == NULL ? NULL : memset(memory, 0, size);
}

int main(int argc, char** argv) {
  if (argc < 5 || argc > 4 + kMostBuffers) return 2;
  void* const library = dlopen(argv[2], RTLD_NOW);
  if (library == NULL) {
    fprintf(stderr, "run_kernel: %s\n", dlerror());
    return 1;
  }
  const tf_entry run = (tf_entry)dlsym(library, TF_RUN_SYMBOL);
  const tf_entry prepare = (tf_entry)dlsym(library, TF_PREPARE_SYMBOL);
  void* buffers[kMostBuffers];
  void* const workspace = Allocate(argv[3]);
  for (int i = 4; i < argc; ++i) buffers[i - 4] = Allocate(argv[i]);
  if (prepare != NULL && prepare(buffers, workspace, NULL) != 0) return 1;
  for (int i = atoi(argv[1]); i > 0; --i) {
    if (run == NULL || run(buffers, workspace, NULL) != 0) return 1;
  }
  return 0;
}
