// What an Arm processor says of itself where /proc/cpuinfo does not: in the hardware capabilities that a program is
// started with (Linux, Documentation/arm64/elf_hwcaps.rst), and in its identification register.
#ifndef TUNEFLEET_DEVICE_SERVER_DESCRIBE_ARM_REGISTERS_H_
#define TUNEFLEET_DEVICE_SERVER_DESCRIBE_ARM_REGISTERS_H_

#include <cstdint>
#include <string>

namespace tunefleet::device {

struct ArmRegisters {
  uint64_t hwcap = 0;   // AT_HWCAP
  uint64_t hwcap2 = 0;  // AT_HWCAP2
  uint64_t midr = 0;    // MIDR_EL1; 0: not readable
};

// Of the processor that this runs on; all zero on other architectures.
ArmRegisters ReadArmRegisters();

// The words that the "Features" line of /proc/cpuinfo has for the capabilities, of a 64-bit processor or of a 32-bit
// one.
std::string ArmCapabilityWords(const ArmRegisters& registers, bool is_64_bit);

// Fields of MIDR_EL1.
inline uint32_t ArmImplementer(uint64_t midr) { return static_cast<uint32_t>(midr >> 24) & 0xff; }
inline uint32_t ArmPart(uint64_t midr) { return static_cast<uint32_t>(midr >> 4) & 0xfff; }

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_DESCRIBE_ARM_REGISTERS_H_
