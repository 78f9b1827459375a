#include "device_server/describe/arm_registers.h"

#include <sys/auxv.h>

#include <span>

#include "absl/strings/str_cat.h"

namespace tunefleet::device {
namespace {

struct Capability {
  int bit;
  const char* word;
};

constexpr Capability k64[] = {{1, "asimd"},    {3, "aes"},      {6, "sha2"}, {7, "crc32"},    {8, "atomics"},
                              {10, "asimdhp"}, {20, "asimddp"}, {22, "sve"}, {23, "asimdfhm"}};
constexpr Capability k64Second[] = {{1, "sve2"}, {13, "i8mm"}, {14, "bf16"}};
constexpr Capability k32[] = {{12, "neon"},     {16, "vfpv4"}, {23, "asimdhp"}, {24, "asimddp"},
                              {25, "asimdfhm"}, {26, "bf16"},  {27, "i8mm"}};
constexpr Capability k32Second[] = {{0, "aes"}, {3, "sha2"}, {4, "crc32"}};

void Add(std::span<const Capability> table, uint64_t bits, std::string* words) {
  for (const Capability& entry : table) {
    if ((bits >> entry.bit) & 1) absl::StrAppend(words, words->empty() ? "" : " ", entry.word);
  }
}

}  // namespace

ArmRegisters ReadArmRegisters() {
  ArmRegisters registers;
#if defined(__aarch64__) || defined(__arm__)
  registers.hwcap = getauxval(AT_HWCAP);
  registers.hwcap2 = getauxval(AT_HWCAP2);
#endif
#if defined(__aarch64__)
  constexpr int kIdentificationReadable = 11;  // HWCAP_CPUID
  if ((registers.hwcap >> kIdentificationReadable) & 1) asm("mrs %0, MIDR_EL1" : "=r"(registers.midr));
#endif
  return registers;
}

std::string ArmCapabilityWords(const ArmRegisters& registers, bool is_64_bit) {
  std::string words;
  Add(is_64_bit ? std::span<const Capability>(k64) : k32, registers.hwcap, &words);
  Add(is_64_bit ? std::span<const Capability>(k64Second) : k32Second, registers.hwcap2, &words);
  return words;
}

}  // namespace tunefleet::device
