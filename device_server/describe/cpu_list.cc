#include "device_server/describe/cpu_list.h"

#include <sched.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace tunefleet::device {
namespace {

bool ParseCore(absl::string_view text, uint32_t* core) { return absl::SimpleAtoi(text, core) && *core < CPU_SETSIZE; }

}  // namespace

absl::StatusOr<std::vector<uint16_t>> ParseCpuList(absl::string_view text) {
  std::vector<uint16_t> cores;
  for (const absl::string_view part : absl::StrSplit(absl::StripAsciiWhitespace(text), ',')) {
    const std::vector<absl::string_view> ends = absl::StrSplit(part, '-');
    uint32_t first = 0, last = 0;
    if (ends.size() > 2 || !ParseCore(ends.front(), &first) || !ParseCore(ends.back(), &last) || first > last) {
      return absl::InvalidArgumentError(absl::StrCat("'", text, "' is no list of cores like 1 or 0,2-3"));
    }
    for (uint32_t core = first; core <= last; ++core) {
      if (std::find(cores.begin(), cores.end(), core) == cores.end()) cores.push_back(static_cast<uint16_t>(core));
    }
  }
  return cores;
}

std::string FormatCpuList(const std::vector<uint16_t>& cores) { return absl::StrJoin(cores, ","); }

std::vector<uint16_t> UsableCores() {
  cpu_set_t present, all, set;
  CPU_ZERO(&set);
  std::memset(&all, 0xff, sizeof(all));
  // The kernel cuts a wish for all cores down to those that are there and permitted.
  const bool widened =
      sched_getaffinity(0, sizeof(present), &present) == 0 && sched_setaffinity(0, sizeof(all), &all) == 0;
  std::vector<uint16_t> cores;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cores;
  if (widened) sched_setaffinity(0, sizeof(present), &present);
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(static_cast<uint16_t>(core));
  }
  return cores;
}

void StayOffCores(const std::vector<uint16_t>& cores) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return;
  for (const uint16_t core : cores) CPU_CLR(core, &set);
  if (CPU_COUNT(&set) > 0) sched_setaffinity(0, sizeof(set), &set);
}

}  // namespace tunefleet::device
