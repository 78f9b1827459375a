// Runs a kernel some times: under an emulator, for counting its instructions or seeing what it computes.
//
//   run_kernel RUNS KERNEL.so WORKSPACE-BYTES BUFFER ...
//
// A BUFFER is a number of bytes, all zero, or a file that holds it and receives it after the runs.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/kernel_abi.h"

enum { kMostBuffers = 32, kAlignment = 64, kSlack = 4096 };

static void* Allocate(size_t bytes) {
  const size_t size = (bytes + kSlack) / kAlignment * kAlignment;
  void* const memory = aligned_alloc(kAlignment, size);
  return memory == NULL ? NULL : memset(memory, 0, size);
}

static int IsNumber(const char* text) { return text[0] >= '0' && text[0] <= '9'; }

static size_t FileBytes(const char* path) {
  FILE* const file = fopen(path, "rb");
  if (file == NULL || fseek(file, 0, SEEK_END) != 0) exit(1);
  const long bytes = ftell(file);
  fclose(file);
  return (size_t)bytes;
}

static void* Buffer(const char* text) {
  if (IsNumber(text)) return Allocate(strtoull(text, NULL, 10));
  const size_t bytes = FileBytes(text);
  void* const memory = Allocate(bytes);
  FILE* const file = fopen(text, "rb");
  if (file == NULL || fread(memory, 1, bytes, file) != bytes) exit(1);
  fclose(file);
  return memory;
}

static void Save(const char* text, const void* memory) {
  if (IsNumber(text)) return;
  const size_t bytes = FileBytes(text);
  FILE* const file = fopen(text, "wb");
  if (file == NULL || fwrite(memory, 1, bytes, file) != bytes || fclose(file) != 0) exit(1);
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
  const size_t workspace_bytes = strtoull(argv[3], NULL, 10);
  void* const workspace = Allocate(workspace_bytes);
  if (workspace != NULL) memset(workspace, 0x7b, workspace_bytes);  // what is read before it is written shows
  for (int i = 4; i < argc; ++i) buffers[i - 4] = Buffer(argv[i]);
  if (prepare != NULL && prepare(buffers, workspace, NULL) != 0) return 1;
  for (int i = atoi(argv[1]); i > 0; --i) {
    if (run == NULL || run(buffers, workspace, NULL) != 0) return 1;
  }
  for (int i = 4; i < argc; ++i) Save(argv[i], buffers[i - 4]);
  return 0;
}
