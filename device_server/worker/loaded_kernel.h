// One kernel in a worker: its buffers, its code, its runs and their time.
//
// Calls come in the order Open, Load, then Prepare and Run, then Unload. What a call comes to is in the report: after
// any other than kDone the process must end. The destructor unmaps the buffers. Single-threaded.
#ifndef TUNEFLEET_DEVICE_SERVER_WORKER_LOADED_KERNEL_H_
#define TUNEFLEET_DEVICE_SERVER_WORKER_LOADED_KERNEL_H_

#include <cstdint>
#include <vector>

#include "common/kernel_abi.h"
#include "device_server/sandbox/unique_fd.h"
#include "device_server/sandbox/wire.h"
#include "device_server/worker/mapped_buffers.h"

namespace tunefleet::device {

class LoadedKernel {
 public:
  // `runtime` outlives it.
  explicit LoadedKernel(const tf_runtime* runtime) : runtime_(runtime) {}
  LoadedKernel(const LoadedKernel&) = delete;
  LoadedKernel& operator=(const LoadedKernel&) = delete;

  // Maps the buffers. `files`: the code, then one per buffer file. None of them is open when the code is loaded.
  void Open(const KernelSpec& spec, std::vector<UniqueFd> files, WorkerReport* report);

  void Load(bool needs_prepare, WorkerReport* report);
  void Prepare(uint32_t set, WorkerReport* report);
  void Run(const WorkerCommand& command, WorkerReport* report);

  // Runs the code's destructors and unmaps it. kFailed: it stays.
  void Unload(WorkerReport* report);

 private:
  void RunWarm(const WorkerCommand& command, WorkerReport* report);
  void RunCold(const WorkerCommand& command, WorkerReport* report);
  void RunRotating(const WorkerCommand& command, WorkerReport* report);

  const tf_runtime* const runtime_;
  MappedBuffers buffers_;
  UniqueFd code_;
  char code_path_[32] = {};
  uint64_t memory_limit_bytes_ = 0;
  void* library_ = nullptr;
  tf_entry run_ = nullptr;
  tf_entry prepare_ = nullptr;
  bool copies_filled_ = false;
  uint32_t next_copy_ = 0;
  bool has_run_[kMaxSets] = {};
  uint64_t patience_ns_ = 3'000'000;  // with a core that is not in its usual state
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_WORKER_LOADED_KERNEL_H_
