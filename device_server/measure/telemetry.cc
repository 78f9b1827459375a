#include "device_server/measure/telemetry.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/proto_time.h"
#include "device_server/describe/sys_file.h"

namespace tunefleet::device {
namespace {

constexpr int kStealField = 8;  // of a "cpuN user nice system idle iowait irq softirq steal ..." line
constexpr double kStolenShare = 0.01;
constexpr double kHottestPossible = 250;  // broken sensors report nonsense
constexpr double kClockMoved = 0.05;

// Files of the folders `parent`/`prefix`* whose names begin and end like that.
std::vector<std::string> FindFiles(const std::string& parent, absl::string_view folder_prefix,
                                   absl::string_view file_prefix, absl::string_view file_suffix) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& folder : std::filesystem::directory_iterator(parent, error)) {
    if (!absl::StartsWith(folder.path().filename().string(), folder_prefix)) continue;
    for (const auto& file : std::filesystem::directory_iterator(folder.path(), error)) {
      const std::string name = file.path().filename().string();
      if (absl::StartsWith(name, file_prefix) && absl::EndsWith(name, file_suffix)) {
        found.push_back(file.path().string());
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Time stolen from the cores, of /proc/stat.
std::optional<absl::Duration> ReadSteal(const std::string& path, const std::vector<uint16_t>& cores) {
  std::set<std::string> names;
  for (const uint16_t core : cores) names.insert(absl::StrCat("cpu", core));
  std::ifstream file(path);
  uint64_t ticks = 0;
  bool found = false;
  for (std::string line; std::getline(file, line) && absl::StartsWith(line, "cpu");) {
    const std::vector<std::string> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    uint64_t steal = 0;
    if (names.count(fields[0]) == 0 || fields.size() <= kStealField) continue;
    if (!absl::SimpleAtoi(fields[kStealField], &steal)) continue;
    ticks += steal;
    found = true;
  }
  if (!found) return std::nullopt;
  return absl::Seconds(1) * static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

TelemetryReader::TelemetryReader(std::string root, std::vector<uint16_t> cores)
    : root_(std::move(root)), cores_(std::move(cores)) {
  sensors_ = FindFiles(root_ + "/sys/class/thermal", "thermal_zone", "temp", "temp");
  for (std::string& file : FindFiles(root_ + "/sys/class/hwmon", "hwmon", "temp", "_input")) {
    sensors_.push_back(std::move(file));
  }
}

std::string TelemetryReader::CorePath(uint16_t core) const {
  return absl::StrCat(root_, "/sys/devices/system/cpu/cpu", core, "/");
}

TelemetrySnapshot TelemetryReader::Read() const {
  TelemetrySnapshot snapshot;
  for (const uint16_t core : cores_) {
    const std::string path = CorePath(core);
    if (const auto khz = ReadSysNumber(path + "cpufreq/scaling_cur_freq")) snapshot.clock_mhz.push_back(*khz / 1000);
    for (const char* const counter : {"core_throttle_count", "package_throttle_count"}) {
      const auto events = ReadSysNumber(absl::StrCat(path, "thermal_throttle/", counter));
      if (events) snapshot.throttle_events = snapshot.throttle_events.value_or(0) + static_cast<uint64_t>(*events);
    }
  }
  snapshot.steal_time = ReadSteal(root_ + "/proc/stat", cores_);
  return snapshot;
}

std::optional<double> TelemetryReader::HottestCelsius() const {
  std::optional<double> hottest;
  for (const std::string& sensor : sensors_) {
    const auto millidegrees = ReadSysNumber(sensor);
    if (!millidegrees || std::abs(*millidegrees) > kHottestPossible * 1000) continue;
    hottest = std::max(hottest.value_or(*millidegrees / 1000), *millidegrees / 1000);
  }
  return hottest;
}

v1::Telemetry TelemetryReader::Since(const TelemetrySnapshot& before) const {
  const TelemetrySnapshot after = Read();
  v1::Telemetry telemetry;
  std::vector<double> clocks = before.clock_mhz;
  clocks.insert(clocks.end(), after.clock_mhz.begin(), after.clock_mhz.end());
  if (!clocks.empty()) {
    const double mean = std::accumulate(clocks.begin(), clocks.end(), 0.0) / static_cast<double>(clocks.size());
    const auto [least, most] = std::minmax_element(clocks.begin(), clocks.end());
    telemetry.set_clock_mhz(mean);
    telemetry.set_clock_change(mean > 0 ? (*most - *least) / mean : 0);
  }
  if (!cores_.empty()) telemetry.set_governor(ReadSysLine(CorePath(cores_.front()) + "cpufreq/scaling_governor"));
  if (const auto celsius = HottestCelsius()) telemetry.set_temperature_celsius(*celsius);
  if (before.throttle_events && after.throttle_events) {
    telemetry.set_throttle_events(*after.throttle_events - std::min(*before.throttle_events, *after.throttle_events));
  }
  if (before.steal_time && after.steal_time) {
    *telemetry.mutable_steal_time() =
        common::DurationToProto(std::max(*after.steal_time - *before.steal_time, absl::ZeroDuration()));
  }
  return telemetry;
}

std::vector<v1::QualityReason> ReasonsFromTelemetry(const v1::Telemetry& telemetry, absl::Duration run_time) {
  std::vector<v1::QualityReason> reasons;
  if (telemetry.throttle_events() > 0) reasons.push_back(v1::QUALITY_REASON_THROTTLED);
  const absl::Duration stolen = common::DurationFromProto(telemetry.steal_time());
  // The counter's own grain, a tick, says nothing about a trial of a few milliseconds.
  const absl::Duration tick = absl::Seconds(1) / static_cast<double>(sysconf(_SC_CLK_TCK));
  if (stolen > tick && stolen > run_time * kStolenShare) reasons.push_back(v1::QUALITY_REASON_STOLEN);
  if (telemetry.clock_change() > kClockMoved) reasons.push_back(v1::QUALITY_REASON_CLOCK_DRIFTED);
  return reasons;
}

}  // namespace tunefleet::device
