// Which of a fleet's devices a tuning run is for.
#ifndef TUNEFLEET_TUNER_COMMANDS_DEVICE_CHOICE_H_
#define TUNEFLEET_TUNER_COMMANDS_DEVICE_CHOICE_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "proto/fleet.pb.h"

namespace tunefleet::tuner {

struct DeviceChoice {
  std::string device_class;
  v1::Target target;  // with `threads` set
};

// The class asked for, or the only one there is (of the wanted target's architecture). The target is what a device of
// the class reports, with what `wanted` says instead: its triple, its cpu and its features. Without a cpu the features
// stay the device's; with the device's own cpu they are those that both have. Errors: NOT_FOUND (no device, or none of
// that class), FAILED_PRECONDITION (several classes and none was named; fewer cores than threads).
absl::StatusOr<DeviceChoice> ChooseDevice(const v1::ListDevicesResponse& devices, const std::string& device_class,
                                          const std::optional<v1::Target>& wanted, int threads);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_DEVICE_CHOICE_H_
