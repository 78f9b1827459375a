#include "tuner/commands/core_plan.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace tunefleet::tuner {
namespace {

// "0-1,4" is 0, 1, 4.
std::vector<int> ParseCoreList(absl::string_view text) {
  std::vector<int> cores;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> range = absl::StrSplit(part, absl::MaxSplits('-', 1));
    int first = 0, last = 0;
    if (!absl::SimpleAtoi(range.first, &first)) continue;
    if (!absl::SimpleAtoi(range.second, &last)) last = first;
    for (int core = first; core <= last; ++core) cores.push_back(core);
  }
  return cores;
}

std::vector<int> Without(const std::vector<int>& cores, const std::set<int>& taken) {
  std::vector<int> rest;
  std::copy_if(cores.begin(), cores.end(), std::back_inserter(rest), [&](int core) { return taken.count(core) == 0; });
  return rest;
}

// The core and all other hardware threads of it.
void Take(int core, const std::map<int, std::vector<int>>& siblings, std::set<int>* taken) {
  taken->insert(core);
  const auto found = siblings.find(core);
  if (found != siblings.end()) taken->insert(found->second.begin(), found->second.end());
}

}  // namespace

absl::StatusOr<CorePlan> PlanCores(const std::vector<int>& allowed, const std::map<int, std::vector<int>>& siblings,
                                   int threads) {
  CorePlan plan;
  std::set<int> taken;
  for (auto core = allowed.rbegin(); core != allowed.rend() && static_cast<int>(plan.device.size()) < threads; ++core) {
    if (taken.count(*core) != 0) continue;
    plan.device.push_back(*core);
    Take(*core, siblings, &taken);
  }
  if (static_cast<int>(plan.device.size()) < threads) {
    return absl::InvalidArgumentError(
        absl::StrCat(threads, " threads: this machine offers ", plan.device.size(), " cores"));
  }
  std::reverse(plan.device.begin(), plan.device.end());
  plan.others = Without(allowed, taken);
  plan.shared = plan.others.empty();
  if (plan.shared) plan.others = allowed;
  return plan;
}

std::vector<int> CoresBeside(const std::vector<int>& allowed, const std::map<int, std::vector<int>>& siblings,
                             const std::vector<int>& measuring) {
  std::set<int> taken;
  for (const int core : measuring) Take(core, siblings, &taken);
  std::vector<int> rest = Without(allowed, taken);
  if (rest.empty()) rest = Without(allowed, {measuring.begin(), measuring.end()});
  return rest.empty() ? allowed : rest;
}

std::vector<int> AllowedCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return {0};
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

std::map<int, std::vector<int>> CoreSiblings(const std::vector<int>& cores) {
  std::map<int, std::vector<int>> siblings;
  for (const int core : cores) {
    std::ifstream file(absl::StrCat("/sys/devices/system/cpu/cpu", core, "/topology/thread_siblings_list"));
    std::string text;
    if (std::getline(file, text)) siblings[core] = ParseCoreList(text);
  }
  return siblings;
}

void StayOnCores(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(core, &set);
  sched_setaffinity(0, sizeof(set), &set);  // where it is refused, timings are noisier; nothing is wrong
}

}  // namespace tunefleet::tuner
