#include "device_server/describe/core_groups.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/describe/sys_file.h"

namespace tunefleet::device {
namespace {

constexpr double kTolerance = 0.1;

uint64_t ReadNumber(const std::string& path) { return static_cast<uint64_t>(ReadSysNumber(path).value_or(0)); }

std::string CorePath(const std::string& root, uint16_t core) {
  return absl::StrCat(root, "/sys/devices/system/cpu/cpu", core, "/");
}

// "core" or "atom" for a core of a hybrid x86 processor.
std::string KindOf(const std::string& root, uint16_t core) {
  for (const char* const kind : {"core", "atom"}) {
    const auto cores = ParseCpuList(ReadSysLine(absl::StrCat(root, "/sys/devices/cpu_", kind, "/cpus")));
    if (cores.ok() && std::find(cores->begin(), cores->end(), core) != cores->end()) return kind;
  }
  return "";
}

CoreGroup Describe(const std::string& root, uint16_t core) {
  return {.cores = {core},
          .kind = KindOf(root, core),
          .midr = ReadMidr(root, core),
          .capacity = ReadNumber(CorePath(root, core) + "cpu_capacity"),
          .max_khz = ReadNumber(CorePath(root, core) + "cpufreq/cpuinfo_max_freq")};
}

bool AreClose(uint64_t a, uint64_t b) {
  const auto x = static_cast<double>(a), y = static_cast<double>(b);
  return std::abs(x - y) <= kTolerance * std::max(x, y);
}

// What tells the two apart; "" when they are alike.
std::string Difference(const CoreGroup& a, const CoreGroup& b) {
  if (a.kind != b.kind) return "cpu_core/cpus, cpu_atom/cpus";
  if (a.midr != b.midr) return "midr_el1";
  if (!AreClose(a.capacity, b.capacity)) return "cpu_capacity";
  return AreClose(a.max_khz, b.max_khz) ? "" : "cpuinfo_max_freq";
}

// A group's traits as parts of names; empty where the machine does not tell.
std::string Kind(const CoreGroup& group) { return group.kind; }
std::string Capacity(const CoreGroup& group) { return group.capacity > 0 ? absl::StrCat("cap", group.capacity) : ""; }
std::string Clock(const CoreGroup& group) { return group.max_khz > 0 ? absl::StrCat(group.max_khz / 1000, "mhz") : ""; }
std::string Midr(const CoreGroup& group) { return group.midr > 0 ? absl::StrCat("midr", absl::Hex(group.midr)) : ""; }

}  // namespace

uint64_t ReadMidr(const std::string& root, uint16_t core) {
  uint64_t midr = 0;
  return absl::SimpleHexAtoi(ReadSysLine(CorePath(root, core) + "regs/identification/midr_el1"), &midr) ? midr : 0;
}

std::vector<CoreGroup> ReadCoreGroups(const std::string& root, const std::vector<uint16_t>& cores) {
  std::vector<uint16_t> sorted = cores;
  std::sort(sorted.begin(), sorted.end());
  std::vector<CoreGroup> groups;
  for (const uint16_t core : sorted) {
    CoreGroup alone = Describe(root, core);
    const auto same = std::find_if(groups.begin(), groups.end(),
                                   [&](const CoreGroup& group) { return Difference(group, alone).empty(); });
    if (same == groups.end()) {
      if (!groups.empty()) alone.told_by = Difference(groups.front(), alone);
      groups.push_back(std::move(alone));
    } else {
      same->cores.push_back(core);
    }
  }
  if (groups.size() > 1) groups.front().told_by = groups[1].told_by;
  return groups;
}

std::vector<std::string> GroupKinds(const std::vector<CoreGroup>& groups) {
  std::vector<std::string> kinds(groups.size());
  for (const auto& trait : {Kind, Capacity, Clock, Midr}) {
    if (std::set<std::string>(kinds.begin(), kinds.end()).size() == groups.size()) break;
    for (size_t i = 0; i < groups.size(); ++i) {
      const std::string text = trait(groups[i]);
      if (!text.empty()) absl::StrAppend(&kinds[i], kinds[i].empty() ? "" : "-", text);
    }
  }
  return kinds;
}

}  // namespace tunefleet::device
