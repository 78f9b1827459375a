#include "device_server/describe/core_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/device_server/fake_sys.h"

namespace tunefleet::device {
namespace {

using ::testing::ElementsAre;

TEST(CoreGroupsTest, CoresOfWhichNothingIsToldAreAlike) {
  FakeSys sys;
  const auto groups = ReadCoreGroups(sys.root(), {1, 0, 2});
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_THAT(groups[0].cores, ElementsAre(0, 1, 2));
  EXPECT_EQ(groups[0].told_by, "");
  EXPECT_THAT(GroupKinds(groups), ElementsAre(""));
}

TEST(CoreGroupsTest, BigAndLittleAreToldApartByTheirRegister) {
  FakeSys sys;
  sys.WriteBigLittle();
  const auto groups = ReadCoreGroups(sys.root(), {0, 1, 2, 3, 4, 5});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_THAT(groups[0].cores, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(groups[1].cores, ElementsAre(4, 5));
  EXPECT_EQ(groups[0].midr, 0x410fd034u);
  EXPECT_EQ(groups[1].capacity, 1024u);
  EXPECT_EQ(groups[0].told_by, "midr_el1");
  EXPECT_THAT(GroupKinds(groups), ElementsAre("cap485", "cap1024"));
  EXPECT_EQ(ReadCoreGroups(sys.root(), {4, 5}).size(), 1u) << "only cores that may be used count";
}

TEST(CoreGroupsTest, CapacityAndClockTellWhereNoRegisterDoes) {
  FakeSys sys;
  sys.WriteCore(0, "", "400", "");
  sys.WriteCore(1, "", "1024", "");
  EXPECT_EQ(ReadCoreGroups(sys.root(), {0, 1})[1].told_by, "cpu_capacity");
  sys.WriteCore(5, "", "1000", "");
  EXPECT_EQ(ReadCoreGroups(sys.root(), {1, 5}).size(), 1u) << "a favourite core is no kind of its own";
  sys.WriteCore(2, "", "", "1800000");
  sys.WriteCore(3, "", "", "2400000");
  sys.WriteCore(4, "", "", "2350000");
  const auto groups = ReadCoreGroups(sys.root(), {2, 3, 4});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_THAT(groups[1].cores, ElementsAre(3, 4)) << "a favourite core is no kind of its own";
  EXPECT_EQ(groups[1].told_by, "cpuinfo_max_freq");
  EXPECT_THAT(GroupKinds(groups), ElementsAre("1800mhz", "2400mhz"));
}

TEST(CoreGroupsTest, HybridProcessorsNameTheirCores) {
  FakeSys sys;
  sys.Write("cpu_core/cpus", "0-3");
  sys.Write("cpu_atom/cpus", "4-7");
  const auto groups = ReadCoreGroups(sys.root(), {0, 1, 2, 3, 4, 5, 6, 7});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_THAT(groups[1].cores, ElementsAre(4, 5, 6, 7));
  EXPECT_THAT(GroupKinds(groups), ElementsAre("core", "atom"));
}

TEST(CoreGroupsTest, AKindSaysNoMoreThanItTakesToTellGroupsApart) {
  FakeSys sys;
  sys.Write("cpu_core/cpus", "0-1");
  sys.Write("cpu_atom/cpus", "2-3");
  sys.WriteCore(2, "", "", "3800000");
  sys.WriteCore(3, "", "", "2500000");
  EXPECT_THAT(GroupKinds(ReadCoreGroups(sys.root(), {0, 1, 2, 3})),
              ElementsAre("core", "atom-3800mhz", "atom-2500mhz"));
  FakeSys registers_alone;
  registers_alone.WriteCore(0, "0x410fd034", "", "");
  registers_alone.WriteCore(1, "0x410fd082", "", "");
  EXPECT_THAT(GroupKinds(ReadCoreGroups(registers_alone.root(), {0, 1})), ElementsAre("midr410fd034", "midr410fd082"));
}

}  // namespace
}  // namespace tunefleet::device
