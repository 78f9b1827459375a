// How long a worker lives: the decisions alone, fed with what became of its kernels. Pure: no I/O, no clock.
//
// A worker that takes another kernel has carried out all earlier ones to a clean end, is made for such a kernel
// (threads, cores, rank), and holds what a new one holds. After any failure it is never used again.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_WORKER_LIFE_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_WORKER_LIFE_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"
#include "device_server/sandbox/wire.h"
#include "proto/measurement.pb.h"

namespace tunefleet::device {

// Of a device's workers.
enum class WorkerLifetime {
  kCandidate,   // one kernel
  kPersistent,  // kernel after kernel: for devices whose start-up is dear
};

// "candidate", "persistent": for the command line and the device attribute.
const char* LifetimeName(WorkerLifetime lifetime);
std::optional<WorkerLifetime> ParseLifetime(absl::string_view name);

// What a kernel does to its process and nobody sees adds up no further than this. Half a minute or more of trials: the
// dearest start-up, a second for a driver's context, is lost in it.
inline constexpr uint32_t kMostKernels = 256;

// Address space that a worker may keep when its kernel is closed: more than allocators and the loader hold on to, less
// than a kernel that leaks tensors leaves.
inline constexpr uint64_t kMostKeptBytes = uint64_t{8} << 20;

// Whether a kernel that failed is tried once more, in a new worker: what one of the earlier kernels of its worker left
// behind may be to blame, or the worker may have been lost since.
bool DeservesANewWorker(v1::Outcome outcome, uint32_t earlier_kernels);

class WorkerLife {
 public:
  WorkerLife(WorkerLifetime lifetime, const WorkerSpec& spec) : lifetime_(lifetime), spec_(spec) {}

  // Events of each kernel, in this order.
  void KernelOpened() { ++kernels_; }
  // `clean`: every run returned in time and every output was right.
  void KernelEnded(bool clean);
  // Only where it was still usable. `kept_bytes`: address space beyond a new worker's; unset: closing failed.
  void KernelClosed(std::optional<uint64_t> kept_bytes);

  // Why it takes no further kernel, for people; empty: it may take one.
  absl::string_view end() const { return end_; }

  // Whether it takes the next kernel, which wants a worker like this.
  bool Takes(const WorkerSpec& wanted) const { return end_.empty() && wanted == spec_; }

  // Kernels opened before the present one.
  uint32_t earlier_kernels() const { return kernels_ == 0 ? 0 : kernels_ - 1; }

 private:
  const WorkerLifetime lifetime_;
  const WorkerSpec spec_;
  uint32_t kernels_ = 0;
  absl::string_view end_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_WORKER_LIFE_H_
