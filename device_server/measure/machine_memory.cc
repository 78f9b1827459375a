#include "device_server/measure/machine_memory.h"

#include <fstream>

#include "absl/strings/str_cat.h"

namespace tunefleet::device {
namespace {

constexpr uint64_t kLittleBytes = uint64_t{64} << 20;
constexpr uint64_t kReserveBytes = uint64_t{256} << 20;  // stays free for everything else
constexpr uint64_t kMostBytes = PTRDIFF_MAX;

}  // namespace

absl::Status MachineMemory::Allows(absl::string_view what, uint64_t bytes) const {
  if (bytes < kLittleBytes) return absl::OkStatus();
  if (bytes > kMostBytes) {
    return absl::OutOfRangeError(
        absl::StrCat(what, " of ", bytes, " bytes: a process here addresses at most ", kMostBytes));
  }
  const auto fits = [&](uint64_t memory) { return memory >= kReserveBytes && bytes <= memory - kReserveBytes; };
  if (const uint64_t total = Bytes("MemTotal:"); !fits(total)) {
    return absl::OutOfRangeError(absl::StrCat(what, " of ", bytes, " bytes: the machine has ", total, ", of which ",
                                              kReserveBytes, " stay free"));
  }
  const uint64_t available = Bytes("MemAvailable:");
  if (fits(available)) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(what, " of ", bytes, " bytes: the machine has ", available,
                                                   " left, of which ", kReserveBytes, " stay free"));
}

uint64_t MachineMemory::Bytes(absl::string_view name) const {
  std::ifstream info(meminfo_);
  std::string entry, unit;
  uint64_t kib = 0;
  while (info >> entry >> kib && std::getline(info, unit)) {
    if (entry == name) return kib << 10;
  }
  return ~uint64_t{0};
}

}  // namespace tunefleet::device
