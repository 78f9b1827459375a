// The small parts of the fleet's client: addresses, the blob cache, the busy meter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tuner/fleet/blob_cache.h"
#include "tuner/fleet/busy_meter.h"
#include "tuner/fleet/channel.h"

namespace tunefleet::tuner {
namespace {

using ::testing::HasSubstr;

TEST(TrackerAddressTest, WrongOnesAreRefusedWithWhatWouldBeRight) {
  for (const char* good : {"127.0.0.1:9190", "host.example:1", "[::1]:65535", "unix:/run/t/s", "unix:s"}) {
    EXPECT_TRUE(CheckTrackerAddress(good).ok()) << good;
  }
  for (const char* bad : {"", "host", ":9190", "host:", "host:0", "host:65536", "host:http", "unix:"}) {
    const absl::Status status = CheckTrackerAddress(bad);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << bad;
    EXPECT_THAT(std::string(status.message()), HasSubstr("expected HOST:PORT")) << bad;
  }
}

std::shared_ptr<const std::string> Bytes(size_t size) { return std::make_shared<const std::string>(size, 'x'); }

TEST(BlobCacheTest, LeastRecentlyUsedBlobLeavesFirst) {
  BlobCache cache(30);
  cache.Put("a", Bytes(10));
  cache.Put("b", Bytes(10));
  cache.Put("c", Bytes(10));
  EXPECT_NE(cache.Get("a"), nullptr);
  cache.Put("d", Bytes(10));
  EXPECT_EQ(cache.Get("b"), nullptr);
  EXPECT_NE(cache.Get("a"), nullptr);
  EXPECT_NE(cache.Get("d"), nullptr);
}

TEST(BlobCacheTest, BlobOverTheBoundIsKeptWhileItIsTheNewest) {
  BlobCache cache(30);
  cache.Put("small", Bytes(10));
  cache.Put("large", Bytes(100));
  EXPECT_EQ(cache.Get("small"), nullptr);
  EXPECT_EQ(cache.Get("large")->size(), 100u);
  cache.Put("small", Bytes(10));
  EXPECT_EQ(cache.Get("large"), nullptr);
}

v1::ListDevicesResponse Devices(const std::string& id, const std::string& device_class, int busy, int connected) {
  v1::ListDevicesResponse devices;
  v1::DeviceStatus* status = devices.add_devices();
  status->mutable_device()->set_device_id(id);
  status->mutable_device()->set_device_class(device_class);
  status->mutable_busy()->set_seconds(busy);
  status->mutable_connected()->set_seconds(connected);
  return devices;
}

TEST(BusyMeterTest, CountsFromTheFirstLook) {
  BusyMeter meter("");
  meter.Look(Devices("d", "c", 90, 100));
  EXPECT_EQ(meter.Share(), 0);
  meter.Look(Devices("d", "c", 93, 110));
  EXPECT_DOUBLE_EQ(meter.Share(), 0.3);
}

TEST(BusyMeterTest, ReconnectedDeviceKeepsWhatItGained) {
  BusyMeter meter("");
  meter.Look(Devices("d", "c", 0, 0));
  meter.Look(Devices("d", "c", 5, 10));
  meter.Look(Devices("d", "c", 0, 1));
  meter.Look(Devices("d", "c", 10, 11));
  EXPECT_DOUBLE_EQ(meter.Share(), 0.75);
}

TEST(BusyMeterTest, OtherClassesDoNotCount) {
  BusyMeter meter("rk3399");
  meter.Look(Devices("d", "pi4", 0, 0));
  meter.Look(Devices("d", "pi4", 10, 10));
  EXPECT_EQ(meter.Share(), 0);
}

}  // namespace
}  // namespace tunefleet::tuner
