// What the processor under this process can do, in LLVM's names of features: only what the operating system enabled.
#ifndef TUNEFLEET_DEVICE_SERVER_DESCRIBE_CPU_FEATURES_H_
#define TUNEFLEET_DEVICE_SERVER_DESCRIBE_CPU_FEATURES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tunefleet::device {

// The words that decide, as the cpuid and xgetbv instructions give them.
struct CpuidWords {
  uint32_t leaf1_ecx = 0;
  uint32_t leaf7_ebx = 0;
  uint32_t leaf7_ecx = 0;
  uint32_t leaf7_edx = 0;
  uint32_t leaf7_1_eax = 0;
  uint32_t extended_ecx = 0;  // leaf 0x80000001
  uint64_t xcr0 = 0;          // 0 when the operating system does not use xsave
};

// Sorted.
std::vector<std::string> X86Features(const CpuidWords& words);

// From the value of a "Features" line of /proc/cpuinfo on ARM, or of "isa" on RISC-V. Sorted.
std::vector<std::string> ArmFeatures(absl::string_view cpuinfo_features);

struct CpuIdentity {
  std::string cpu;  // LLVM's name
  std::vector<std::string> features;
  std::string model;  // for people
};

// Of this machine. Never fails: what is unknown is "generic" and empty.
CpuIdentity IdentifyCpu();

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_DESCRIBE_CPU_FEATURES_H_
