#include "device_server/device_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device_server/describe/machine.h"
#include "device_server/sandbox/wire.h"
#include "tests/device_server/fake_sys.h"

namespace tunefleet::device {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string SameClass(const std::vector<uint16_t>&) { return "arm"; }

// On cores that are all alike.
absl::StatusOr<std::vector<PlannedDevice>> Plan(const CommandLine& line, const std::vector<uint16_t>& usable) {
  return PlanDevices(line, usable, {{.cores = usable}}, SameClass);
}

class BigLittleTest : public ::testing::Test {
 protected:
  BigLittleTest() { sys_.WriteBigLittle(); }

  absl::StatusOr<std::vector<PlannedDevice>> Plan(const CommandLine& line) {
    return PlanDevices(line, kCores, ReadCoreGroups(sys_.root(), kCores), [this](const std::vector<uint16_t>& cores) {
      return DescribeTarget(cores, 1, sys_.root()).cpu();
    });
  }

  const std::vector<uint16_t> kCores = {0, 1, 2, 3, 4, 5};
  FakeSys sys_;
};

TEST(DevicePlanTest, CoresDefaultToTheLastOnes) {
  const auto plan = Plan({}, {0, 1, 2, 3});
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->size(), 1u);
  EXPECT_THAT(plan->front().cores, ElementsAre(3));
  EXPECT_EQ(plan->front().threads, 1u);
  EXPECT_EQ(plan->front().device_class, "arm");
  EXPECT_EQ(plan->front().device_id, "");
  EXPECT_EQ(plan->front().core_kind, "");
  EXPECT_THAT(Plan({.threads = 2}, {0, 1, 2, 3})->front().cores, ElementsAre(2, 3));
}

TEST(DevicePlanTest, NamedCoresMustBeThereAndEnough) {
  EXPECT_THAT(Plan({.cores = {7}}, {0, 1}).status().message(), HasSubstr("cores among 0,1"));
  EXPECT_THAT(Plan({.cores = {1}, .threads = 2}, {0, 1}).status().message(), HasSubstr("at most 1"));
  EXPECT_THAT(Plan({.threads = 3}, {0, 1}).status().message(), HasSubstr("at most 2"));
  EXPECT_EQ(Plan({.cores = {0, 1}}, {0, 1})->front().threads, 2u);
}

TEST(DevicePlanTest, FurtherDevicesHaveCoresOfTheirOwn) {
  CommandLine line{.cores = {0, 1}, .threads = 1, .also = {{{2, 3}, "big", "second"}}};
  const auto plan = Plan(line, {0, 1, 2, 3});
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->size(), 2u);
  EXPECT_EQ((*plan)[0].threads, 1u);
  EXPECT_EQ((*plan)[1].threads, 2u);
  EXPECT_EQ((*plan)[1].device_class, "big");
  EXPECT_EQ((*plan)[1].device_id, "second");
  line.device_id = "second";
  EXPECT_THAT(Plan(line, {0, 1, 2, 3}).status().message(), HasSubstr("--id=second"));
  line.also[0].cores = {1, 2};
  EXPECT_THAT(Plan(line, {0, 1, 2, 3}).status().message(), HasSubstr("no other device of this agent"));
}

TEST_F(BigLittleTest, EachKindOfCoreIsADeviceOfItsOwn) {
  const auto plan = Plan({});
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->size(), 2u);
  EXPECT_THAT((*plan)[0].cores, ElementsAre(3));
  EXPECT_THAT((*plan)[1].cores, ElementsAre(5));
  EXPECT_EQ((*plan)[0].device_class, "cortex-a53");
  EXPECT_EQ((*plan)[1].device_class, "cortex-a72");
  EXPECT_EQ((*plan)[0].core_kind, "cap485");
  EXPECT_EQ((*plan)[1].core_kind, "cap1024");
}

TEST_F(BigLittleTest, ThreadsAreAsManyAsAKindHasCores) {
  const auto plan = Plan({.threads = 3});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT((*plan)[0].cores, ElementsAre(1, 2, 3));
  EXPECT_EQ((*plan)[0].threads, 3u);
  EXPECT_THAT((*plan)[1].cores, ElementsAre(4, 5));
  EXPECT_EQ((*plan)[1].threads, 2u);
  EXPECT_THAT(Plan({.threads = 5}).status().message(), HasSubstr("at most 4"));
}

TEST_F(BigLittleTest, OneNameForAllIsToldApartByTheKind) {
  const auto plan = Plan({.device_class = "rk3399", .device_id = std::string(64, 'x')});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ((*plan)[0].device_class, "rk3399-cap485");
  EXPECT_EQ((*plan)[1].device_class, "rk3399-cap1024");
  EXPECT_EQ((*plan)[0].device_id, std::string(57, 'x') + "-cap485");
  EXPECT_EQ((*plan)[1].device_id, std::string(56, 'x') + "-cap1024");
}

TEST_F(BigLittleTest, NamedCoresAreOneDeviceUnderItsName) {
  const auto plan = Plan({.device_class = "rk3399", .cores = {4, 5}});
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->size(), 1u);
  EXPECT_EQ(plan->front().device_class, "rk3399");
  EXPECT_EQ(plan->front().core_kind, "cap1024");
  EXPECT_EQ(Plan({.cores = {3, 4}})->front().core_kind, "") << "of several kinds";
}

TEST(CheckSandboxTest, EveryDeviceMustHaveWhatIsRequired) {
  const uint32_t full = kSandboxFull | kSandboxPinned;
  const uint32_t less = full & ~uint32_t{kSandboxSeccomp};
  CommandLine line;
  EXPECT_TRUE(CheckSandbox(line, std::vector<uint32_t>{less, 0}).ok());
  line.require_sandbox = "full";
  EXPECT_TRUE(CheckSandbox(line, std::vector<uint32_t>{full, full}).ok());
  EXPECT_FALSE(CheckSandbox(line, std::vector<uint32_t>{less, full}).ok());
  EXPECT_FALSE(CheckSandbox(line, std::vector<uint32_t>{full, less}).ok());
}

}  // namespace
}  // namespace tunefleet::device
