// LLVM's name of a processor, from what the processor says of itself. Pure functions over tables.
#ifndef TUNEFLEET_DEVICE_SERVER_DESCRIBE_CPU_NAME_H_
#define TUNEFLEET_DEVICE_SERVER_DESCRIBE_CPU_NAME_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tunefleet::device {

struct X86Identity {
  std::string vendor;  // "GenuineIntel", "AuthenticAMD", ...
  uint32_t family = 0;
  uint32_t model = 0;
};

// Family and model as cpuid leaf 1 encodes them in eax.
X86Identity DecodeX86Signature(std::string vendor, uint32_t eax);

// E.g. "znver5". A processor that is not in the table, or whose AVX-512 the operating system keeps off, is named by its
// usable features alone: x86-64-v4, -v3, -v2 or x86-64. `features` are LLVM's names.
std::string X86CpuName(const X86Identity& identity, const std::vector<std::string>& features);

// E.g. "cortex-a53", from the implementer and part fields of MIDR; "generic" when unknown.
std::string ArmCpuName(uint32_t implementer, uint32_t part);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_DESCRIBE_CPU_NAME_H_
