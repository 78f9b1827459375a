#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "device_server/describe/arm_registers.h"
#include "device_server/describe/caches.h"
#include "device_server/describe/cpu_features.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/describe/cpu_name.h"
#include "device_server/describe/emulation.h"
#include "device_server/describe/machine.h"

namespace tunefleet::device {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

const std::vector<std::string> kV2 = {"cx16", "popcnt", "sse3", "sse4.1", "sse4.2", "ssse3"};

std::vector<std::string> With(std::vector<std::string> base, std::initializer_list<const char*> more) {
  base.insert(base.end(), more.begin(), more.end());
  return base;
}
const std::vector<std::string> kV3 = With(kV2, {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"});
const std::vector<std::string> kV4 = With(kV3, {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"});

TEST(CpuNameTest, KnownProcessorsHaveLlvmsNames) {
  const struct {
    const char* vendor;
    uint32_t family, model;
    const char* name;
  } kCases[] = {
      {"AuthenticAMD", 0x17, 0x01, "znver1"},      {"AuthenticAMD", 0x17, 0x31, "znver2"},
      {"AuthenticAMD", 0x19, 0x01, "znver3"},      {"AuthenticAMD", 0x19, 0x21, "znver3"},
      {"AuthenticAMD", 0x19, 0x11, "znver4"},      {"AuthenticAMD", 0x19, 0x61, "znver4"},
      {"AuthenticAMD", 0x1a, 0x02, "znver5"},      {"AuthenticAMD", 0x1a, 0x44, "znver5"},
      {"GenuineIntel", 6, 0x3f, "haswell"},        {"GenuineIntel", 6, 0x9e, "skylake"},
      {"GenuineIntel", 6, 0x55, "skylake-avx512"}, {"GenuineIntel", 6, 0x6a, "icelake-server"},
      {"GenuineIntel", 6, 0x8f, "sapphirerapids"}, {"GenuineIntel", 6, 207, "emeraldrapids"},
      {"GenuineIntel", 6, 0xad, "graniterapids"},  {"GenuineIntel", 6, 0x97, "alderlake"},
  };
  for (const auto& c : kCases) EXPECT_EQ(X86CpuName({c.vendor, c.family, c.model}, kV4), c.name);
}

TEST(CpuNameTest, OneModelOfThreeServersIsToldApartByFeatures) {
  EXPECT_EQ(X86CpuName({"GenuineIntel", 6, 0x55}, With(kV4, {"avx512vnni"})), "cascadelake");
  EXPECT_EQ(X86CpuName({"GenuineIntel", 6, 0x55}, With(kV4, {"avx512vnni", "avx512bf16"})), "cooperlake");
}

TEST(CpuNameTest, UnknownProcessorsAreNamedByTheirFeatures) {
  EXPECT_EQ(X86CpuName({"GenuineIntel", 6, 0xfe}, kV4), "x86-64-v4");
  EXPECT_EQ(X86CpuName({"HygonGenuine", 0x18, 1}, kV3), "x86-64-v3");
  EXPECT_EQ(X86CpuName({"GenuineIntel", 6, 0xfe}, kV2), "x86-64-v2");
  EXPECT_EQ(X86CpuName({"GenuineIntel", 6, 0xfe}, {}), "x86-64");
}

TEST(CpuNameTest, AProcessorWhoseAvx512IsOffIsNotCalledByItsName) {
  EXPECT_EQ(X86CpuName({"AuthenticAMD", 0x1a, 2}, kV3), "x86-64-v3");
  EXPECT_EQ(X86CpuName({"GenuineIntel", 6, 0x9e}, kV2), "x86-64-v2");
  EXPECT_EQ(X86CpuName({"GenuineIntel", 6, 0x9e}, kV3), "skylake");
}

TEST(CpuNameTest, SignaturesDecodeWithTheirExtendedFields) {
  const X86Identity emerald = DecodeX86Signature("GenuineIntel", 0xc06f2);
  EXPECT_EQ(emerald.family, 6u);
  EXPECT_EQ(emerald.model, 207u);
  const X86Identity zen5 = DecodeX86Signature("AuthenticAMD", 0xb40f40);
  EXPECT_EQ(zen5.family, 0x1au);
  EXPECT_EQ(zen5.model, 0x44u);
}

TEST(CpuNameTest, ArmPartsHaveLlvmsNames) {
  EXPECT_EQ(ArmCpuName(0x41, 0xd03), "cortex-a53");
  EXPECT_EQ(ArmCpuName(0x41, 0xd0c), "neoverse-n1");
  EXPECT_EQ(ArmCpuName(0x99, 0xd03), "generic");
}

TEST(CpuFeaturesTest, OnlyWhatTheOperatingSystemEnabledCounts) {
  CpuidWords words;
  words.leaf1_ecx = ~0u;
  words.leaf7_ebx = words.leaf7_ecx = words.leaf7_edx = ~0u;
  words.xcr0 = 0;
  EXPECT_THAT(X86Features(words), Contains("sse4.2"));
  EXPECT_THAT(X86Features(words), Not(Contains("avx")));
  words.xcr0 = 0x7;
  EXPECT_THAT(X86Features(words), Contains("avx2"));
  EXPECT_THAT(X86Features(words), Not(Contains("avx512f")));
  words.xcr0 = 0xe7;
  EXPECT_THAT(X86Features(words), Contains("avx512f"));
  EXPECT_THAT(X86Features(words), Not(Contains("amx-tile")));
  words.xcr0 = 0x600e7;
  EXPECT_THAT(X86Features(words), Contains("amx-tile"));
}

TEST(CpuFeaturesTest, ArmNamesAreTranslatedAndSorted) {
  EXPECT_THAT(ArmFeatures("fp asimd aes crc32 asimddp"), ElementsAre("aes", "crc", "dotprod", "neon"));
}

TEST(CpuListTest, ListsAreReadAndWrongOnesRefused) {
  EXPECT_THAT(*ParseCpuList("0-2,5\n"), ElementsAre(0, 1, 2, 5));
  EXPECT_THAT(*ParseCpuList("3"), ElementsAre(3));
  for (const char* wrong : {"", "a", "2-1", "1-", "1,,2", "-3", "99999999", "1-2-3"}) {
    EXPECT_FALSE(ParseCpuList(wrong).ok()) << wrong;
  }
}

class CachesTest : public ::testing::Test {
 protected:
  void Write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << "\n";
  }
  void SetUp() override { root_ = std::filesystem::path(::testing::TempDir()) / "tunefleet_caches"; }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::filesystem::path root_;
};

TEST_F(CachesTest, DataAndUnifiedCachesAreReadByLevel) {
  const struct {
    const char *type, *level, *size, *shared;
  } kEntries[] = {{"Data", "1", "48K", "0"},
                  {"Instruction", "1", "32K", "0"},
                  {"Unified", "3", "32M", "0-7"},
                  {"Unified", "2", "1024K", "0,8"}};
  for (int i = 0; i < 4; ++i) {
    const std::string index = "index" + std::to_string(i) + "/";
    Write(index + "type", kEntries[i].type);
    Write(index + "level", kEntries[i].level);
    Write(index + "size", kEntries[i].size);
    Write(index + "coherency_line_size", "64");
    Write(index + "shared_cpu_list", kEntries[i].shared);
  }
  const std::vector<v1::CacheLevel> caches = ReadCaches(root_.string());
  ASSERT_EQ(caches.size(), 3u);
  EXPECT_EQ(caches[0].size_bytes(), 48 << 10);
  EXPECT_EQ(caches[1].size_bytes(), 1 << 20);
  EXPECT_EQ(caches[1].shared_by_cores(), 2);
  EXPECT_EQ(caches[2].size_bytes(), 32 << 20);
  EXPECT_EQ(caches[2].shared_by_cores(), 8);
  EXPECT_EQ(caches[2].line_bytes(), 64);
}

TEST_F(CachesTest, AMachineThatListsNoneHasNone) { EXPECT_TRUE(ReadCaches("/no/such/folder").empty()); }

TEST(MachineTest, ADeviceCarriesItsAttributesSortedAndAStableFingerprint) {
  const v1::Target target = DescribeTarget({0}, 1);
  const v1::Device device = DescribeDevice(target, "board-7", "rk3399", {.sandbox = {"limits"}});
  std::vector<std::string> names;
  for (const auto& attribute : device.attributes()) names.push_back(attribute.name());
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const char* name : {"arch", "class", "id", "isa", "os", "sandbox"}) EXPECT_THAT(names, Contains(name));
  EXPECT_EQ(device.fingerprint(), DescribeDevice(DescribeTarget({0}, 1), "other", "c", {}).fingerprint());
  v1::Target slower = target;
  slower.set_cpu("i386");
  EXPECT_NE(device.fingerprint(), DescribeDevice(slower, "board-7", "rk3399", {}).fingerprint());
  const v1::Device little = DescribeDevice(target, "board-7", "rk3399", {.core_kind = "cap485"});
  EXPECT_NE(device.fingerprint(), little.fingerprint()) << "times of other cores are not comparable";
  EXPECT_FALSE(target.cpu().empty());
  EXPECT_EQ(target.cores(), 1);
}

TEST(MachineTest, AnEmulatedDeviceIsOfAClassOfItsOwnAndSaysWhatEmulatesIt) {
  const v1::Target target = DescribeTarget({0}, 1);
  EXPECT_EQ(EmulatedClass("rk3399"), "emulated-rk3399");
  EXPECT_EQ(EmulatedClass("emulated-rk3399"), "emulated-rk3399");
  EXPECT_EQ(EmulatedClass(std::string(64, 'x')).size(), 64u);
  const v1::Device device = DescribeDevice(target, "a", "emulated-rk3399", {.emulator = "qemu-aarch64"});
  const v1::Device plain = DescribeDevice(target, "a", "emulated-rk3399", {});
  EXPECT_NE(device.fingerprint(), plain.fingerprint());
  const auto emulator_of = [](const v1::Device& described) {
    for (const auto& attribute : described.attributes()) {
      if (attribute.name() == "emulator") return attribute.values(0);
    }
    return std::string();
  };
  EXPECT_EQ(emulator_of(device), "qemu-aarch64");
  EXPECT_EQ(emulator_of(plain), "");
  v1::Target below = target;
  below.add_caches()->set_level(1);
  EXPECT_EQ(EmulatedTarget(below, "qemu-aarch64").caches_size(), 0) << "the caches are not the emulated processor's";
  EXPECT_EQ(EmulatedTarget(below, "qemu-aarch64").model(), "emulated by qemu-aarch64");
}

TEST(EmulationTest, TheEmulatorIsWhatStandsBeforeTheProgram) {
  const HostProcess process{.executable = "/usr/bin/qemu-aarch64",
                            .arguments = {"qemu-aarch64", "-cpu", "cortex-a53", "-L", "/lib", "agent", "--list"},
                            .machine = EM_X86_64};
  EXPECT_THAT(EmulatorCommand(process, EM_AARCH64, 2),
              ElementsAre("/usr/bin/qemu-aarch64", "-cpu", "cortex-a53", "-L", "/lib"));
  EXPECT_THAT(EmulatorCommand(process, EM_X86_64, 7), IsEmpty());
  EXPECT_THAT(EmulatorCommand(process, EM_AARCH64, 9), ElementsAre("/usr/bin/qemu-aarch64"));
}

TEST(EmulationTest, ThisProcessIsSeenAsItIs) {
  const std::optional<HostProcess> process = ReadHostProcess();
  ASSERT_TRUE(process.has_value());
  EXPECT_EQ(std::filesystem::path(process->executable).filename(), "device_unit_test");
  EXPECT_THAT(process->arguments[0], ::testing::HasSubstr("device_unit_test"));
  EXPECT_THAT(OwnEmulatorCommand(process->arguments.size()), IsEmpty());
}

TEST(EmulationTest, OnlyElfFilesHaveAMachineType) {
  std::string header(64, '\0');
  EXPECT_FALSE(ElfMachine(header).has_value());
  header.replace(0, 4,
                 "\x7f"
                 "ELF");
  header[18] = static_cast<char>(EM_AARCH64);
  EXPECT_EQ(ElfMachine(header), uint16_t{EM_AARCH64});
  EXPECT_FALSE(ElfMachine(header.substr(0, 20)).has_value());
}

TEST(ArmRegistersTest, CapabilitiesBecomeTheWordsOfCpuinfo) {
  // A Cortex-A53, and a core with dot products, half precision and 8-bit matrix products.
  EXPECT_EQ(ArmCapabilityWords({.hwcap = 0x8ff}, true), "asimd aes sha2 crc32");
  EXPECT_THAT(ArmFeatures(ArmCapabilityWords({.hwcap = 0x8ff}, true)), ElementsAre("aes", "crc", "neon", "sha2"));
  EXPECT_THAT(ArmFeatures(ArmCapabilityWords({.hwcap = 1 << 1 | 1 << 10 | 1 << 20, .hwcap2 = 1 << 13}, true)),
              ElementsAre("dotprod", "fullfp16", "i8mm", "neon"));
  EXPECT_THAT(ArmFeatures(ArmCapabilityWords({.hwcap = 1 << 12 | 1 << 16}, false)), ElementsAre("neon", "vfp4"));
  EXPECT_EQ(ArmCpuName(ArmImplementer(0x410fd034), ArmPart(0x410fd034)), "cortex-a53");
}

TEST(DefaultIdTest, NamesHostAndCoresAndCutsTheHostAlone) {
  EXPECT_EQ(DefaultId("a host", {4, 5}), "a_host-4_5");
  const std::string host(100, 'h');
  EXPECT_EQ(DefaultId(host, {4, 5}), std::string(60, 'h') + "-4_5");
  std::vector<uint16_t> many(40);
  std::iota(many.begin(), many.end(), 100);
  const std::string id = DefaultId(host, many);
  EXPECT_EQ(id.size(), 64u);
  ++many.back();
  EXPECT_NE(DefaultId(host, many), id);
}

}  // namespace
}  // namespace tunefleet::device
