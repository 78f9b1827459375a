#include "tracker/power_switch.h"

#include <spdlog/spdlog.h>

#include "absl/strings/str_cat.h"
#include "common/child_process.h"

namespace tunefleet::tracker {

void PowerSwitch::Cycle(const PowerCycle& cycle) {
  executor_.Post([this, cycle] { Run(cycle); });
}

void PowerSwitch::Run(const PowerCycle& cycle) const {
  common::ChildOptions child;
  child.arguments = {command_, cycle.device_id, cycle.device_class, absl::StrCat(cycle.attempt)};
  const absl::StatusOr<pid_t> pid = common::StartChild(child);
  if (!pid.ok()) {
    return spdlog::error("power cycle of {}: {}", cycle.device_id, std::string(pid.status().message()));
  }
  const absl::StatusOr<int> status = common::WaitChild(*pid, timeout_);
  if (!status.ok()) {
    common::KillChild(*pid);
    return spdlog::error("power cycle of {}: {} did not end within {}", cycle.device_id, command_,
                         absl::FormatDuration(timeout_));
  }
  if (*status != 0) {
    return spdlog::error("power cycle of {}: {} ended with {}", cycle.device_id, command_,
                         common::DescribeWaitStatus(*status));
  }
  spdlog::info("power cycle of {}: done", cycle.device_id);
}

}  // namespace tunefleet::tracker
