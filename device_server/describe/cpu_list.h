// Lists of processor numbers as the kernel writes them: "0-3,8". The first two functions are pure.
#ifndef TUNEFLEET_DEVICE_SERVER_DESCRIBE_CPU_LIST_H_
#define TUNEFLEET_DEVICE_SERVER_DESCRIBE_CPU_LIST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tunefleet::device {

// In the order written, each once. Errors: INVALID_ARGUMENT.
absl::StatusOr<std::vector<uint16_t>> ParseCpuList(absl::string_view text);

std::string FormatCpuList(const std::vector<uint16_t>& cores);

// The cores that this process could run on if it asked, ascending. Whoever started it may have kept it to fewer.
std::vector<uint16_t> UsableCores();

// Keeps the calling thread, and threads and processes started from it later, to those of its present cores that
// are not in `cores`. Does nothing when that leaves none.
void StayOffCores(const std::vector<uint16_t>& cores);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_DESCRIBE_CPU_LIST_H_
