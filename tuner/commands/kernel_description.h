// What stands beside a shipped kernel, FILE.json beside FILE.so: its manifest, workload and target (proto/record.proto,
// KernelFile), so that it can be measured by hand.
#ifndef TUNEFLEET_TUNER_COMMANDS_KERNEL_DESCRIPTION_H_
#define TUNEFLEET_TUNER_COMMANDS_KERNEL_DESCRIPTION_H_

#include <string>

#include "absl/status/statusor.h"
#include "proto/record.pb.h"

namespace tunefleet::tuner {

// "conv.so" -> "conv.json".
std::string DescriptionPath(const std::string& library);

std::string PrintDescription(const v1::KernelFile& kernel);

struct KernelOnDisk {
  v1::KernelFile description;
  std::string code;
};
// The shared library with its description. Errors: NOT_FOUND (either file), INVALID_ARGUMENT (the description cannot be
// read, or is that of other code).
absl::StatusOr<KernelOnDisk> ReadKernel(const std::string& library);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_KERNEL_DESCRIPTION_H_
