/* The built-in kernel once more, as a function of the agent: what a worker's outputs are judged against. */
#include "common/kernel_abi.h"

int32_t tunefleet_builtin_run(void* const* buffers, void* workspace, const tf_runtime* runtime);

#define tf_run tunefleet_builtin_run
#include "device_server/builtin/kernel.c"
