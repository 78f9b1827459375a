#include "device_server/device_plan.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/status_macros.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/sandbox/wire.h"

namespace tunefleet::device {
namespace {

constexpr size_t kMostCharacters = 64;  // of a name

absl::Status Wrong(absl::string_view option, absl::string_view value, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat("--", option, "=", value, ": expected ", expected));
}

bool Contains(const std::vector<uint16_t>& cores, uint16_t core) {
  return std::find(cores.begin(), cores.end(), core) != cores.end();
}

// The first ones serve the machine's interrupts.
std::vector<uint16_t> LastOf(const std::vector<uint16_t>& cores, size_t count) {
  return {cores.end() - static_cast<std::ptrdiff_t>(std::min(count, cores.size())), cores.end()};
}

std::string WithKind(const std::string& name, const std::string& kind) {
  return absl::StrCat(name.substr(0, kMostCharacters - std::min(kMostCharacters, kind.size() + 1)), "-", kind);
}

std::string KindOf(const std::vector<uint16_t>& cores, const std::vector<CoreGroup>& groups) {
  const std::vector<std::string> kinds = GroupKinds(groups);
  for (size_t i = 0; i < groups.size(); ++i) {
    const auto is_inside = [&](uint16_t core) { return Contains(groups[i].cores, core); };
    if (std::all_of(cores.begin(), cores.end(), is_inside)) return kinds[i];
  }
  return "";
}

absl::StatusOr<std::vector<PlannedDevice>> OnePerGroup(const CommandLine& line, const std::vector<CoreGroup>& groups) {
  size_t most = 0;
  for (const CoreGroup& group : groups) most = std::max(most, group.cores.size());
  if (line.threads > most) {
    return Wrong("threads", absl::StrCat(line.threads),
                 absl::StrCat("at most ", most, ", the usable cores of one kind"));
  }
  std::vector<PlannedDevice> plan;
  for (const CoreGroup& group : groups) {
    PlannedDevice& device = plan.emplace_back();
    device.cores = LastOf(group.cores, std::max<uint32_t>(line.threads, 1));
    device.threads = static_cast<uint32_t>(device.cores.size());
    device.device_class = line.device_class;
    if (!line.device_id.empty()) device.device_id = WithKind(line.device_id, KindOf(group.cores, groups));
  }
  return plan;
}

absl::StatusOr<std::vector<PlannedDevice>> AsNamed(const CommandLine& line, const std::vector<uint16_t>& usable) {
  PlannedDevice first{.cores = line.cores,
                      .threads = line.threads,
                      .device_class = line.device_class,
                      .device_id = line.device_id,
                      .core_kind = ""};
  if (first.cores.empty()) {
    first.threads = std::max<uint32_t>(first.threads, 1);
    if (first.threads > usable.size()) {
      return Wrong("threads", absl::StrCat(line.threads),
                   absl::StrCat("at most ", usable.size(), ", the usable cores"));
    }
    first.cores = LastOf(usable, first.threads);
  }
  if (first.threads == 0) first.threads = static_cast<uint32_t>(first.cores.size());
  if (first.threads > first.cores.size()) {
    return Wrong("threads", absl::StrCat(line.threads),
                 absl::StrCat("at most ", first.cores.size(), ", as many as --cores names"));
  }
  std::vector<PlannedDevice> plan = {std::move(first)};
  for (const CommandLine::Also& also : line.also) {
    plan.push_back({.cores = also.cores,
                    .threads = static_cast<uint32_t>(also.cores.size()),
                    .device_class = also.device_class,
                    .device_id = also.device_id,
                    .core_kind = ""});
  }
  return plan;
}

absl::Status CheckCores(const std::vector<PlannedDevice>& plan, const std::vector<uint16_t>& usable) {
  std::vector<uint16_t> taken;
  for (const PlannedDevice& device : plan) {
    const char* const option = taken.empty() ? "cores" : "also";
    for (const uint16_t core : device.cores) {
      if (!Contains(usable, core)) {
        return Wrong(option, FormatCpuList(device.cores), absl::StrCat("cores among ", FormatCpuList(usable)));
      }
      if (Contains(taken, core)) {
        return Wrong(option, FormatCpuList(device.cores), "cores that no other device of this agent has");
      }
    }
    taken.insert(taken.end(), device.cores.begin(), device.cores.end());
  }
  return absl::OkStatus();
}

absl::Status CheckIds(const std::vector<PlannedDevice>& plan) {
  std::set<std::string> taken;
  for (const PlannedDevice& device : plan) {
    if (!device.device_id.empty() && !taken.insert(device.device_id).second) {
      return Wrong("id", device.device_id, "an id that no other device of this agent has");
    }
  }
  return absl::OkStatus();
}

void TellClassesApart(std::vector<PlannedDevice>* plan) {
  const std::vector<PlannedDevice> before = *plan;
  for (PlannedDevice& device : *plan) {
    const bool shared = std::any_of(before.begin(), before.end(), [&](const PlannedDevice& other) {
      return other.device_class == device.device_class && other.core_kind != device.core_kind;
    });
    if (shared && !device.core_kind.empty()) device.device_class = WithKind(device.device_class, device.core_kind);
  }
}

}  // namespace

absl::StatusOr<std::vector<PlannedDevice>> PlanDevices(
    const CommandLine& line, const std::vector<uint16_t>& usable, const std::vector<CoreGroup>& groups,
    const std::function<std::string(const std::vector<uint16_t>& cores)>& class_of) {
  std::vector<PlannedDevice> plan;
  if (line.cores.empty() && line.also.empty() && groups.size() > 1) {
    TF_ASSIGN_OR_RETURN(plan, OnePerGroup(line, groups));
  } else {
    TF_ASSIGN_OR_RETURN(plan, AsNamed(line, usable));
  }
  TF_RETURN_IF_ERROR(CheckCores(plan, usable));
  TF_RETURN_IF_ERROR(CheckIds(plan));
  for (PlannedDevice& device : plan) {
    device.core_kind = KindOf(device.cores, groups);
    if (device.device_class.empty()) device.device_class = class_of(device.cores);
  }
  TellClassesApart(&plan);
  return plan;
}

absl::Status CheckSandbox(const CommandLine& line, std::span<const uint32_t> sandboxes) {
  if (line.require_sandbox != "full") return absl::OkStatus();
  for (const uint32_t sandbox : sandboxes) {
    if ((sandbox & kSandboxFull) != kSandboxFull) {
      return absl::FailedPreconditionError(absl::StrCat("--require-sandbox=full: this machine enforces only ",
                                                        absl::StrJoin(SandboxNames(sandbox), ", ")));
    }
  }
  return absl::OkStatus();
}

}  // namespace tunefleet::device
