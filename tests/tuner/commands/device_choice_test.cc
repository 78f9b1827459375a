#include "tuner/commands/device_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tunefleet::tuner {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void Add(v1::ListDevicesResponse* devices, const std::string& id, const std::string& device_class,
         const std::string& triple, v1::DeviceState state = v1::DEVICE_STATE_FREE) {
  v1::DeviceStatus& status = *devices->add_devices();
  status.set_state(state);
  status.mutable_device()->set_device_id(id);
  status.mutable_device()->set_device_class(device_class);
  v1::Target& target = *status.mutable_device()->mutable_target();
  target.set_triple(triple);
  target.set_cpu("znver5");
  target.add_features("avx2");
  target.add_features("avx512f");
  target.set_cores(2);
}

std::string Error(const absl::StatusOr<DeviceChoice>& choice) { return std::string(choice.status().message()); }

TEST(DeviceChoiceTest, OnlyClassIsTakenWithWhatItReports) {
  v1::ListDevicesResponse devices;
  Add(&devices, "b", "pc", "x86_64-linux-gnu");
  Add(&devices, "a", "pc", "x86_64-linux-gnu");
  const auto choice = ChooseDevice(devices, "", std::nullopt, 2);
  ASSERT_TRUE(choice.ok()) << choice.status();
  EXPECT_EQ(choice->device_class, "pc");
  EXPECT_EQ(choice->target.cpu(), "znver5");
  EXPECT_EQ(choice->target.threads(), 2);
}

TEST(DeviceChoiceTest, SeveralClassesNeedAName) {
  v1::ListDevicesResponse devices;
  Add(&devices, "a", "pc", "x86_64-linux-gnu");
  Add(&devices, "b", "board", "aarch64-linux-gnu");
  EXPECT_THAT(Error(ChooseDevice(devices, "", std::nullopt, 1)), HasSubstr("--device=CLASS"));
  EXPECT_EQ(ChooseDevice(devices, "board", std::nullopt, 1)->device_class, "board");
  EXPECT_THAT(Error(ChooseDevice(devices, "bord", std::nullopt, 1)), HasSubstr("did you mean 'board'?"));
}

TEST(DeviceChoiceTest, WantedTargetChoosesTheArchitecture) {
  v1::ListDevicesResponse devices;
  Add(&devices, "a", "pc", "x86_64-linux-gnu");
  Add(&devices, "b", "board", "aarch64-linux-gnu");
  v1::Target wanted;
  wanted.set_triple("aarch64-linux-gnu");
  wanted.set_cpu("cortex-a53");
  wanted.add_features("neon");
  const auto choice = ChooseDevice(devices, "", wanted, 1);
  ASSERT_TRUE(choice.ok()) << choice.status();
  EXPECT_EQ(choice->device_class, "board");
  EXPECT_EQ(choice->target.cpu(), "cortex-a53");
  EXPECT_THAT(choice->target.features(), ElementsAre("neon"));
  EXPECT_EQ(choice->target.cores(), 2);
  wanted.set_triple("riscv64-linux-gnu");
  EXPECT_THAT(Error(ChooseDevice(devices, "", wanted, 1)), HasSubstr("no connected device runs riscv64-linux-gnu"));
}

TEST(DeviceChoiceTest, FeaturesOfTheSameCpuCanBeSwitchedOff) {
  v1::ListDevicesResponse devices;
  Add(&devices, "a", "pc", "x86_64-linux-gnu");
  v1::Target wanted;
  wanted.set_triple("x86_64-linux-gnu");
  EXPECT_THAT(ChooseDevice(devices, "", wanted, 1)->target.features(), ElementsAre("avx2", "avx512f"));
  wanted.set_cpu("znver5");
  wanted.add_features("avx2");
  wanted.add_features("sse4a");
  EXPECT_THAT(ChooseDevice(devices, "", wanted, 1)->target.features(), ElementsAre("avx2"));
}

TEST(DeviceChoiceTest, LostDevicesDoNotCount) {
  v1::ListDevicesResponse devices;
  Add(&devices, "a", "pc", "x86_64-linux-gnu", v1::DEVICE_STATE_LOST);
  EXPECT_TRUE(absl::IsNotFound(ChooseDevice(devices, "", std::nullopt, 1).status()));
  EXPECT_THAT(Error(ChooseDevice(devices, "pc", std::nullopt, 1)), HasSubstr("start tunefleet-device"));
}

TEST(DeviceChoiceTest, MoreThreadsThanCoresAreRefused) {
  v1::ListDevicesResponse devices;
  Add(&devices, "a", "pc", "x86_64-linux-gnu");
  EXPECT_THAT(Error(ChooseDevice(devices, "", std::nullopt, 3)), HasSubstr("offers 2 cores"));
}

}  // namespace
}  // namespace tunefleet::tuner
