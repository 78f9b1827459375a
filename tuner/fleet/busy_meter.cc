#include "tuner/fleet/busy_meter.h"

#include <algorithm>

#include "common/proto_time.h"

namespace tunefleet::tuner {

void BusyMeter::Look(const v1::ListDevicesResponse& devices) {
  for (const v1::DeviceStatus& status : devices.devices()) {
    if (!device_class_.empty() && status.device().device_class() != device_class_) continue;
    const Counters now{common::DurationFromProto(status.busy()), common::DurationFromProto(status.connected())};
    const auto [entry, is_new] = devices_.try_emplace(status.device().device_id());
    Device& device = entry->second;
    if (!is_new && now.connected >= device.last.connected && now.busy >= device.last.busy) {
      device.total.busy += now.busy - device.last.busy;
      device.total.connected += now.connected - device.last.connected;
    }
    device.last = now;
  }
}

double BusyMeter::Share() const {
  absl::Duration busy, connected;
  for (const auto& [id, device] : devices_) {
    busy += device.total.busy;
    connected += device.total.connected;
  }
  return connected <= absl::ZeroDuration() ? 0 : std::clamp(absl::FDivDuration(busy, connected), 0.0, 1.0);
}

}  // namespace tunefleet::tuner
