// What the kernel tells about the measuring cores: clock, governor, temperature, throttling, stolen time. What a
// machine does not tell stays unset.
#ifndef TUNEFLEET_DEVICE_SERVER_MEASURE_TELEMETRY_H_
#define TUNEFLEET_DEVICE_SERVER_MEASURE_TELEMETRY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/measurement.pb.h"

namespace tunefleet::device {

// One reading of the counters.
struct TelemetrySnapshot {
  std::vector<double> clock_mhz;            // of the cores that tell
  std::optional<uint64_t> throttle_events;  // since the machine started, all cores together
  std::optional<absl::Duration> steal_time;
};

// Thread-compatible.
class TelemetryReader {
 public:
  // `root` stands before /sys and /proc: "" on a real machine.
  TelemetryReader(std::string root, std::vector<uint16_t> cores);

  TelemetrySnapshot Read() const;

  // What happened since `before`, with governor and temperature as they are now. What is not the machine's to tell
  // (cores, preemptions, scheduling) stays unset.
  v1::Telemetry Since(const TelemetrySnapshot& before) const;

 private:
  std::string CorePath(uint16_t core) const;
  std::optional<double> HottestCelsius() const;

  const std::string root_;
  const std::vector<uint16_t> cores_;
  std::vector<std::string> sensors_;  // files with millidegrees
};

// What the telemetry of a trial whose kernels ran for `run_time` says against its timings.
std::vector<v1::QualityReason> ReasonsFromTelemetry(const v1::Telemetry& telemetry, absl::Duration run_time);

}  // namespace tunefleet::device

#endif  // TUNEFLEET_DEVICE_SERVER_MEASURE_TELEMETRY_H_
