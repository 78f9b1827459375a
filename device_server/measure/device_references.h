// References that the device computes itself (v1::Kernel.reference): what an artifact writes on a kernel's fills, or on
// its second ones, run once in a worker that is confined like any other, and kept for the next trials of the workload:
// both together, and a failure as well, which would only take its time again. Least recently used ones go first when
// the bound is passed. Not thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_DEVICE_REFERENCES_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_DEVICE_REFERENCES_H_

#include <cstdint>
#include <list>
#include <optional>
#include <string>

#include "device_server/measure/kernel_session.h"
#include "device_server/measure/worker_handle.h"
#include "proto/measurement.pb.h"

namespace tunefleet::device {

class DeviceReferences {
 public:
  explicit DeviceReferences(uint64_t bound_bytes) : bound_bytes_(bound_bytes) {}

  // Sets the outputs of the kernel's reference; nothing where it has none. `kernel` passed CheckTrial. The
  // environment's deadline is the references' own. A reference that fails, takes too long or is too large for the
  // machine says nothing about the candidate, and is not the device's fault: NO_REFERENCE; but what the device fails to
  // do is a DEVICE_ERROR, and who cancels gets CANCELLED.
  std::optional<Failure> Get(const KernelSession::Environment& environment, const v1::Kernel& kernel,
                             const v1::MeasureOptions& options, KernelSession::References* references);

  uint64_t size_bytes() const { return size_bytes_; }

 private:
  struct Entry {
    std::string key;
    std::optional<Failure> failure;
    KernelSession::References references;
    uint64_t bytes = 0;
  };

  const uint64_t bound_bytes_;
  uint64_t size_bytes_ = 0;
  std::list<Entry> entries_;  // most recently used first
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_DEVICE_REFERENCES_H_
