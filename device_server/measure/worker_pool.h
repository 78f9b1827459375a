// A device's workers: one for each kernel that is open. As their lifetime says, one that is done is kept for the next
// kernel. Kernels that are sampled side by side have a worker each; at most one is kept of them.
//
// Not thread-safe; outlives the workers that it gave out.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_WORKER_POOL_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_WORKER_POOL_H_

#include <memory>
#include <optional>
#include <span>

#include "device_server/measure/worker_handle.h"
#include "device_server/measure/worker_life.h"
#include "device_server/sandbox/zygote.h"

namespace tunefleet::device {

class WorkerPool {
 public:
  struct Worker {
    Worker(Zygote* zygote, WorkerLifetime lifetime, const WorkerSpec& spec) : handle(zygote), life(lifetime, spec) {}
    WorkerHandle handle;
    WorkerLife life;
  };

  // `zygote` outlives the pool.
  WorkerPool(Zygote* zygote, WorkerLifetime lifetime) : zygote_(zygote), lifetime_(lifetime) {}

  // A worker with this kernel open, in `worker`: the kept one, or where there is none like `spec`, or it is lost since,
  // a new one. The rest as WorkerHandle::Open.
  std::optional<Failure> Open(WorkerSpec spec, const KernelSpec& kernel, std::span<const int> fds,
                              const v1::ArtifactManifest& manifest, std::unique_ptr<Worker>* worker);

  // The kernel is done. Returns when the worker is ready for the next one, or reaped.
  void Close(std::unique_ptr<Worker> worker, bool clean);

  // Ends the worker that is kept.
  void Clear() { kept_ = nullptr; }

 private:
  Zygote* const zygote_;
  const WorkerLifetime lifetime_;
  std::unique_ptr<Worker> kept_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_WORKER_POOL_H_
