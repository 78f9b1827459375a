#include "device_server/describe/cpu_features.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "device_server/describe/arm_registers.h"
#include "device_server/describe/cpu_name.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace tunefleet::device {
namespace {

struct FeatureBit {
  int bit;
  const char* name;
};

constexpr FeatureBit kLeaf1Ecx[] = {{0, "sse3"},    {1, "pclmul"}, {9, "ssse3"},   {13, "cx16"}, {19, "sse4.1"},
                                    {20, "sse4.2"}, {22, "movbe"}, {23, "popcnt"}, {25, "aes"},  {30, "rdrnd"}};
constexpr FeatureBit kLeaf1EcxAvx[] = {{12, "fma"}, {28, "avx"}, {29, "f16c"}};
constexpr FeatureBit kLeaf7Ebx[] = {{3, "bmi"},         {8, "bmi2"},  {19, "adx"},
                                    {23, "clflushopt"}, {24, "clwb"}, {29, "sha"}};
constexpr FeatureBit kLeaf7EbxAvx[] = {{5, "avx2"}};
constexpr FeatureBit kLeaf7EbxAvx512[] = {{16, "avx512f"},  {17, "avx512dq"}, {21, "avx512ifma"},
                                          {28, "avx512cd"}, {30, "avx512bw"}, {31, "avx512vl"}};
constexpr FeatureBit kLeaf7EcxAvx512[] = {
    {1, "avx512vbmi"}, {6, "avx512vbmi2"}, {11, "avx512vnni"}, {12, "avx512bitalg"}, {14, "avx512vpopcntdq"}};
constexpr FeatureBit kLeaf7EcxAvx[] = {{9, "vaes"}, {10, "vpclmulqdq"}};
constexpr FeatureBit kLeaf7Ecx[] = {{8, "gfni"}};
constexpr FeatureBit kLeaf7EdxAvx512[] = {{8, "avx512vp2intersect"}, {23, "avx512fp16"}};
constexpr FeatureBit kLeaf7EdxAmx[] = {{22, "amx-bf16"}, {24, "amx-tile"}, {25, "amx-int8"}};
constexpr FeatureBit kLeaf7Sub1EaxAvx[] = {{4, "avxvnni"}, {23, "avxifma"}};
constexpr FeatureBit kLeaf7Sub1EaxAvx512[] = {{5, "avx512bf16"}};
constexpr FeatureBit kExtendedEcx[] = {{5, "lzcnt"}, {6, "sse4a"}};

constexpr uint64_t kAvxState = 0x6;       // SSE and AVX registers
constexpr uint64_t kAvx512State = 0xe6;   // and masks, upper halves, upper registers
constexpr uint64_t kAmxState = 0x6'0000;  // tile configuration and data

template <size_t N>
void Add(const FeatureBit (&table)[N], uint32_t word, std::vector<std::string>* features) {
  for (const FeatureBit& entry : table) {
    if ((word >> entry.bit) & 1) features->push_back(entry.name);
  }
}

// The first value of `key` in a text of "key : value" lines.
std::string ValueOf(const std::string& cpuinfo, absl::string_view key) {
  for (const absl::string_view line : absl::StrSplit(cpuinfo, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (absl::StripAsciiWhitespace(parts.first) == key) return std::string(absl::StripAsciiWhitespace(parts.second));
  }
  return "";
}

std::string ReadCpuInfo() {
  std::ifstream file("/proc/cpuinfo");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

std::vector<std::string> X86Features(const CpuidWords& words) {
  std::vector<std::string> features;
  Add(kLeaf1Ecx, words.leaf1_ecx, &features);
  Add(kLeaf7Ebx, words.leaf7_ebx, &features);
  Add(kLeaf7Ecx, words.leaf7_ecx, &features);
  Add(kExtendedEcx, words.extended_ecx, &features);
  if ((words.xcr0 & kAvxState) == kAvxState) {
    Add(kLeaf1EcxAvx, words.leaf1_ecx, &features);
    Add(kLeaf7EbxAvx, words.leaf7_ebx, &features);
    Add(kLeaf7EcxAvx, words.leaf7_ecx, &features);
    Add(kLeaf7Sub1EaxAvx, words.leaf7_1_eax, &features);
  }
  if ((words.xcr0 & kAvx512State) == kAvx512State) {
    Add(kLeaf7EbxAvx512, words.leaf7_ebx, &features);
    Add(kLeaf7EcxAvx512, words.leaf7_ecx, &features);
    Add(kLeaf7EdxAvx512, words.leaf7_edx, &features);
    Add(kLeaf7Sub1EaxAvx512, words.leaf7_1_eax, &features);
  }
  if ((words.xcr0 & kAmxState) == kAmxState) Add(kLeaf7EdxAmx, words.leaf7_edx, &features);
  std::sort(features.begin(), features.end());
  return features;
}

std::vector<std::string> ArmFeatures(absl::string_view cpuinfo_features) {
  static constexpr std::pair<absl::string_view, absl::string_view> kNames[] = {
      {"aes", "aes"},     {"asimd", "neon"}, {"asimddp", "dotprod"}, {"asimdfhm", "fp16fml"}, {"asimdhp", "fullfp16"},
      {"atomics", "lse"}, {"bf16", "bf16"},  {"crc32", "crc"},       {"i8mm", "i8mm"},        {"neon", "neon"},
      {"sha2", "sha2"},   {"sve", "sve"},    {"sve2", "sve2"},       {"vfpv4", "vfp4"},
  };
  std::vector<std::string> features;
  for (const absl::string_view word : absl::StrSplit(cpuinfo_features, ' ', absl::SkipEmpty())) {
    for (const auto& [kernel_name, llvm_name] : kNames) {
      if (word == kernel_name) features.emplace_back(llvm_name);
    }
  }
  std::sort(features.begin(), features.end());
  features.erase(std::unique(features.begin(), features.end()), features.end());
  return features;
}

#if defined(__x86_64__)

CpuIdentity IdentifyCpu() {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  char vendor[12] = {};
  __get_cpuid(0, &eax, &ebx, &ecx, &edx);
  std::memcpy(vendor, &ebx, 4);
  std::memcpy(vendor + 4, &edx, 4);
  std::memcpy(vendor + 8, &ecx, 4);
  CpuidWords words;
  uint32_t signature = 0;
  __get_cpuid(1, &signature, &ebx, &words.leaf1_ecx, &edx);
  __get_cpuid_count(7, 0, &eax, &words.leaf7_ebx, &words.leaf7_ecx, &words.leaf7_edx);
  __get_cpuid_count(7, 1, &words.leaf7_1_eax, &ebx, &ecx, &edx);
  __get_cpuid(0x80000001, &eax, &ebx, &words.extended_ecx, &edx);
  if ((words.leaf1_ecx >> 27) & 1) {  // OSXSAVE: xgetbv may be used
    uint32_t low = 0, high = 0;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    words.xcr0 = static_cast<uint64_t>(high) << 32 | low;
  }
  CpuIdentity identity;
  identity.features = X86Features(words);
  identity.cpu = X86CpuName(DecodeX86Signature(std::string(vendor, sizeof(vendor)), signature), identity.features);
  identity.model = ValueOf(ReadCpuInfo(), "model name");
  return identity;
}

#else

CpuIdentity IdentifyCpu() {
  const std::string cpuinfo = ReadCpuInfo();
  const ArmRegisters registers = ReadArmRegisters();
  uint32_t implementer = 0, part = 0;
  CpuIdentity identity;
  if (!absl::SimpleHexAtoi(ValueOf(cpuinfo, "CPU implementer"), &implementer) ||
      !absl::SimpleHexAtoi(ValueOf(cpuinfo, "CPU part"), &part)) {
    implementer = ArmImplementer(registers.midr);
    part = ArmPart(registers.midr);
  }
  identity.cpu = ArmCpuName(implementer, part);
  const std::string words = ValueOf(cpuinfo, "Features");
  identity.features = ArmFeatures(words.empty() ? ArmCapabilityWords(registers, sizeof(void*) == 8) : words);
  identity.model = ValueOf(cpuinfo, "model name");
  if (identity.model.empty()) identity.model = ValueOf(cpuinfo, "Hardware");
  return identity;
}

#endif

}  // namespace tunefleet::device
