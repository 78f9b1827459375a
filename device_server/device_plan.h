// Which devices an agent offers: what the command line asks for, on the cores that the machine has. Pure.
#ifndef TUNEFLEET_DEVICE_SERVER_DEVICE_PLAN_H_
#define TUNEFLEET_DEVICE_SERVER_DEVICE_PLAN_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "device_server/describe/core_groups.h"
#include "device_server/options.h"

namespace tunefleet::device {

struct PlannedDevice {
  std::vector<uint16_t> cores;
  uint32_t threads = 1;  // that a kernel may use
  std::string device_class;
  std::string device_id;  // empty: from host and cores
  // What tells its cores from others of the machine; empty: nothing, or they are of several kinds.
  std::string core_kind;
};

// The devices of the command line, those without named cores on the last `usable` ones. Where it names none and the
// machine has several `groups` of cores, there is one device on each of them: its cores' kind is part of its id where
// the command line gives one. Devices of one class whose cores differ in kind get classes of their own: the kind is
// appended. `class_of` names the class of cores where the command line does not.
//
// Errors: INVALID_ARGUMENT for cores that are not usable, too few (where there are several groups: in each of them), or
// in two devices, and for an id of two devices.
absl::StatusOr<std::vector<PlannedDevice>> PlanDevices(
    const CommandLine& line, const std::vector<uint16_t>& usable, const std::vector<CoreGroup>& groups,
    const std::function<std::string(const std::vector<uint16_t>& cores)>& class_of);

// Whether every device has the sandbox that the command line requires. `sandboxes`: SandboxBits of each. Errors:
// FAILED_PRECONDITION.
absl::Status CheckSandbox(const CommandLine& line, std::span<const uint32_t> sandboxes);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_DEVICE_PLAN_H_
