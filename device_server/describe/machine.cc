#include "device_server/describe/machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/digest.h"
#include "device_server/describe/arm_registers.h"
#include "device_server/describe/caches.h"
#include "device_server/describe/core_groups.h"
#include "device_server/describe/cpu_features.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/describe/cpu_name.h"

namespace tunefleet::device {
namespace {

constexpr size_t kMostIdCharacters = 64;

#if defined(__x86_64__)
constexpr char kArchitecture[] = "x86_64";
constexpr char kTriple[] = "x86_64-linux-gnu";
#elif defined(__aarch64__)
constexpr char kArchitecture[] = "aarch64";
constexpr char kTriple[] = "aarch64-linux-gnu";
#elif defined(__arm__)
constexpr char kArchitecture[] = "arm";
constexpr char kTriple[] = "armv7-linux-gnueabihf";
#elif defined(__riscv)
constexpr char kArchitecture[] = "riscv64";
constexpr char kTriple[] = "riscv64-linux-gnu";
#else
#error "an architecture without a name: add it here"
#endif

std::string KernelRelease() {
  utsname name{};
  return uname(&name) == 0 ? name.release : "unknown";
}

// What the processor's name was read from.
std::string RecognisedBy() {
#if defined(__x86_64__)
  return "cpuid";
#else
  return ReadMidr("", 0) != 0 || ReadArmRegisters().midr != 0 ? "midr_el1" : "/proc/cpuinfo";
#endif
}

// All that bears on a timing, so that timings with different fingerprints are never compared.
std::string Fingerprint(const v1::Target& target, const DeviceTraits& traits) {
  return common::HexDigest(common::Sha256(absl::StrCat(target.SerializeAsString(), "\n", KernelRelease(), "\n",
                                                       traits.emulator, "\n", traits.core_kind)))
      .substr(0, 16);
}

}  // namespace

v1::Target DescribeTarget(const std::vector<uint16_t>& cores, uint32_t threads, const std::string& root) {
  CpuIdentity identity = IdentifyCpu();
  v1::Target target;
  target.set_triple(kTriple);
  target.set_cpu(std::move(identity.cpu));
  for (std::string& feature : identity.features) target.add_features(std::move(feature));
  target.set_model(std::move(identity.model));
  const uint16_t core = cores.empty() ? 0 : cores.front();
  // Where cores differ, what identifies itself is whichever this thread runs on.
  if (const uint64_t midr = ReadMidr(root, core); midr != 0) {
    target.set_cpu(ArmCpuName(ArmImplementer(midr), ArmPart(midr)));
  }
  for (v1::CacheLevel& cache : ReadCaches(absl::StrCat(root, "/sys/devices/system/cpu/cpu", core, "/cache"))) {
    *target.add_caches() = std::move(cache);
  }
  target.set_cores(static_cast<int32_t>(cores.size()));
  target.set_threads(static_cast<int32_t>(threads));
  return target;
}

std::string DefaultClass(const v1::Target& target) { return absl::StrCat(kArchitecture, "-", target.cpu()); }

std::string EmulatedClass(const std::string& device_class) {
  constexpr absl::string_view kPrefix = "emulated-";
  return absl::StartsWith(device_class, kPrefix) ? device_class : absl::StrCat(kPrefix, device_class).substr(0, 64);
}

v1::Target EmulatedTarget(v1::Target target, const std::string& emulator) {
  target.clear_caches();
  target.set_model(absl::StrCat("emulated by ", emulator));
  return target;
}

std::string HostName() {
  char host[256] = {};
  if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0') host[0] = '?';
  return host;
}

std::string DefaultId(std::string host, const std::vector<uint16_t>& cores) {
  for (char& c : host) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '.' && c != '-') c = '_';
  }
  std::string list = absl::StrJoin(cores, "_");
  if (list.size() > kMostIdCharacters / 2) list = common::HexDigest(common::Sha256(list)).substr(0, 16);
  return absl::StrCat(host.substr(0, kMostIdCharacters - 1 - list.size()), "-", list);
}

v1::Device DescribeDevice(const v1::Target& target, const std::string& device_id, const std::string& device_class,
                          const DeviceTraits& traits) {
  v1::Device device;
  device.set_device_id(device_id);
  device.set_device_class(device_class);
  *device.mutable_target() = target;
  device.set_fingerprint(Fingerprint(target, traits));
  std::map<std::string, std::vector<std::string>> attributes = {
      {"arch", {kArchitecture}},
      {"class", {device_class}},
      {"cpu", {target.cpu()}},
      {"id", {device_id}},
      {"isa", {target.features().begin(), target.features().end()}},
      {"kernel", {KernelRelease()}},
      {"kind", {"cpu"}},
      {"os", {"linux"}},
      {"recognised_by", {RecognisedBy()}},
      {"sandbox", traits.sandbox},
  };
  if (!traits.core_kind.empty()) attributes["core_kind"] = {traits.core_kind};
  if (!traits.emulator.empty()) attributes["emulator"] = {traits.emulator};
  for (const auto& [name, values] : attributes) AddAttribute(name, values, &device);
  return device;
}

void AddAttribute(const std::string& name, const std::vector<std::string>& values, v1::Device* device) {
  v1::DeviceAttribute* const attribute = device->add_attributes();
  attribute->set_name(name);
  for (const std::string& value : values) attribute->add_values(value);
  std::sort(device->mutable_attributes()->begin(), device->mutable_attributes()->end(),
            [](const v1::DeviceAttribute& a, const v1::DeviceAttribute& b) { return a.name() < b.name(); });
}

}  // namespace tunefleet::device
