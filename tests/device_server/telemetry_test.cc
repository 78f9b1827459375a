#include "device_server/measure/telemetry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace tunefleet::device {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A tree that looks like /sys and /proc.
class TelemetryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "/telemetry-" + std::to_string(getpid());
    std::filesystem::remove_all(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << "\n";
  }

  std::string root_;
};

TEST_F(TelemetryTest, WhatAMachineDoesNotTellStaysUnset) {
  const TelemetryReader reader(root_, {0, 1});
  const v1::Telemetry telemetry = reader.Since(reader.Read());
  EXPECT_FALSE(telemetry.has_clock_mhz());
  EXPECT_FALSE(telemetry.has_temperature_celsius());
  EXPECT_FALSE(telemetry.has_throttle_events());
  EXPECT_FALSE(telemetry.has_steal_time());
  EXPECT_EQ(telemetry.governor(), "");
  EXPECT_THAT(ReasonsFromTelemetry(telemetry, absl::Seconds(1)), IsEmpty());
}

TEST_F(TelemetryTest, CountersAreDifferencesAndLevelsArePresent) {
  Write("/sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq", "2000000");
  Write("/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance");
  Write("/sys/devices/system/cpu/cpu3/thermal_throttle/core_throttle_count", "7");
  Write("/sys/devices/system/cpu/cpu3/thermal_throttle/package_throttle_count", "100");
  Write("/sys/class/thermal/thermal_zone0/temp", "45500");
  Write("/sys/class/hwmon/hwmon2/temp1_input", "61250");
  Write("/sys/class/hwmon/hwmon2/temp2_input", "999999999");
  Write("/proc/stat", "cpu  9 9 9 9 9 9 9 900 0 0\ncpu1 1 1 1 1 1 1 1 500 0 0\ncpu3 1 1 1 1 1 1 1 20 0 0\nintr 5");
  const TelemetryReader reader(root_, {3});
  const TelemetrySnapshot before = reader.Read();
  Write("/sys/devices/system/cpu/cpu3/cpufreq/scaling_cur_freq", "1800000");
  Write("/sys/devices/system/cpu/cpu3/thermal_throttle/core_throttle_count", "9");
  Write("/proc/stat", "cpu  9 9 9 9 9 9 9 990 0 0\ncpu1 1 1 1 1 1 1 1 580 0 0\ncpu3 1 1 1 1 1 1 1 25 0 0\nintr 5");
  const v1::Telemetry telemetry = reader.Since(before);
  EXPECT_DOUBLE_EQ(telemetry.clock_mhz(), 1900);
  EXPECT_NEAR(telemetry.clock_change(), 200.0 / 1900, 1e-9);
  EXPECT_EQ(telemetry.governor(), "performance");
  EXPECT_DOUBLE_EQ(telemetry.temperature_celsius(), 61.25) << "the hottest that is possible";
  EXPECT_EQ(telemetry.throttle_events(), 2u);
  const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  EXPECT_NEAR(telemetry.steal_time().nanos() * 1e-9, 5 * tick, 1e-6);
}

TEST_F(TelemetryTest, ThrottlingStealingAndAMovingClockSpeakAgainstATiming) {
  v1::Telemetry telemetry;
  telemetry.set_throttle_events(1);
  telemetry.mutable_steal_time()->set_nanos(50'000'000);
  telemetry.set_clock_change(0.2);
  EXPECT_THAT(ReasonsFromTelemetry(telemetry, absl::Seconds(1)),
              ElementsAre(v1::QUALITY_REASON_THROTTLED, v1::QUALITY_REASON_STOLEN, v1::QUALITY_REASON_CLOCK_DRIFTED));
  v1::Telemetry harmless;
  harmless.set_throttle_events(0);
  harmless.mutable_steal_time()->set_nanos(5'000'000);
  harmless.set_clock_change(0.01);
  EXPECT_THAT(ReasonsFromTelemetry(harmless, absl::Milliseconds(20)), IsEmpty()) << "half a tick is no evidence";
}

}  // namespace
}  // namespace tunefleet::device
