// What the machine has left of its memory, asked before a trial takes much of it: the system would rather end processes
// than refuse. Thread-safe.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_MACHINE_MEMORY_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_MACHINE_MEMORY_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tunefleet::device {

class MachineMemory {
 public:
  // `meminfo`: the file that tells; without it nothing is known and everything allowed.
  explicit MachineMemory(std::string meminfo = "/proc/meminfo") : meminfo_(std::move(meminfo)) {}

  // Whether so much can be taken and enough stays for everything else. Little is always allowed. Errors:
  // RESOURCE_EXHAUSTED (at the moment), OUT_OF_RANGE (more than the machine will ever have to spare).
  absl::Status Allows(absl::string_view what, uint64_t bytes) const;

 private:
  uint64_t Bytes(absl::string_view name) const;

  const std::string meminfo_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_MACHINE_MEMORY_H_
