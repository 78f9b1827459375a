/* The contract between a compiled kernel and whoever calls it: the device agent, or a program that ships the kernel.
 *
 * A kernel exports `tf_run`, and `tf_prepare` where constants are packed. Both take the buffers of the artifact's
 * manifest, in its order. A kernel never allocates memory, never starts threads and needs no symbol but memcpy,
 * memmove, memset.
 *
 *   tf_prepare  once, untimed: reads CONSTANT buffers, writes PREPARED ones.
 *   tf_run      reads INPUT, CONSTANT and PREPARED buffers, writes every element of the OUTPUT buffers; `workspace` has
 * the manifest's workspace_bytes and is 64-byte aligned.
 *
 * Both return 0; any other value is an error of the kernel. They may be called again and again, and from several
 * threads at once with different outputs and workspaces.
 */
#ifndef TUNEFLEET_COMMON_KERNEL_ABI_H_
#define TUNEFLEET_COMMON_KERNEL_ABI_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TF_ABI_VERSION 1

/* One task of a parallel loop. */
typedef void (*tf_task)(void* argument, int64_t index);

/* What the caller lends to a kernel. parallel_for calls task(argument, i) once for every i in [0, count), on up to
 * num_threads threads, and returns when all are done. A null tf_runtime means: run parallel loops serially. */
typedef struct tf_runtime {
  uint32_t abi_version; /* TF_ABI_VERSION */
  uint32_t num_threads; /* at least 1 */
  void* context;        /* the caller's */
  void (*parallel_for)(const struct tf_runtime* runtime, int64_t count, tf_task task, void* argument);
} tf_runtime;

typedef int32_t (*tf_entry)(void* const* buffers, void* workspace, const tf_runtime* runtime);

#define TF_RUN_SYMBOL "tf_run"
#define TF_PREPARE_SYMBOL "tf_prepare"

#ifdef __cplusplus
}
#endif

#endif /* TUNEFLEET_COMMON_KERNEL_ABI_H_ */
