#include "device_server/measure/worker_pool.h"

#include <spdlog/spdlog.h>

#include <string>
#include <utility>

namespace tunefleet::device {

std::optional<Failure> WorkerPool::Open(WorkerSpec spec, const KernelSpec& kernel, std::span<const int> fds,
                                        const v1::ArtifactManifest& manifest, std::unique_ptr<Worker>* worker) {
  spec.reusable = lifetime_ == WorkerLifetime::kPersistent ? 1 : 0;
  *worker = std::move(kept_);
  if (*worker != nullptr && (*worker)->life.Takes(spec)) {
    (*worker)->life.KernelOpened();
    const std::optional<Failure> failure = (*worker)->handle.Open(kernel, fds, manifest);
    if (!failure) return std::nullopt;
    // Whatever it is, it came before this kernel.
    spdlog::debug("the kept worker is lost: {}", failure->detail);
  }
  *worker = nullptr;  // reaped before the next one is forked
  *worker = std::make_unique<Worker>(zygote_, lifetime_, spec);
  if (auto failure = (*worker)->handle.Start(spec)) return failure;
  (*worker)->life.KernelOpened();
  return (*worker)->handle.Open(kernel, fds, manifest);
}

void WorkerPool::Close(std::unique_ptr<Worker> worker, bool clean) {
  worker->life.KernelEnded(clean);
  if (worker->life.end().empty()) worker->life.KernelClosed(worker->handle.Close());
  if (!worker->life.end().empty()) {
    spdlog::debug("a worker ends after {} kernels: {}", worker->life.earlier_kernels() + 1,
                  std::string(worker->life.end()));
  } else if (kept_ == nullptr) {
    kept_ = std::move(worker);
  }
}

}  // namespace tunefleet::device
