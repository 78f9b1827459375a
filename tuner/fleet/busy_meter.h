// The busy share of devices over a span of time, from the growing counters that a tracker reports.
#ifndef TUNEFLEET_TUNER_FLEET_BUSY_METER_H_
#define TUNEFLEET_TUNER_FLEET_BUSY_METER_H_

#include <map>
#include <string>

#include "absl/time/time.h"
#include "proto/fleet.pb.h"

namespace tunefleet::tuner {

// Not thread-safe.
class BusyMeter {
 public:
  // Only devices of the class count; empty: all.
  explicit BusyMeter(std::string device_class) : device_class_(std::move(device_class)) {}

  // The first look at a device sets its zero; so does a counter that fell (the device connected again).
  void Look(const v1::ListDevicesResponse& devices);
  // 0 to 1.
  double Share() const;

 private:
  struct Counters {
    absl::Duration busy;
    absl::Duration connected;
  };
  struct Device {
    Counters last;
    Counters total;  // gained since the first look
  };

  const std::string device_class_;
  std::map<std::string, Device> devices_;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_FLEET_BUSY_METER_H_
