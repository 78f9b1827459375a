#include "device_server/describe/core_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace tunefleet::device {
namespace {

using ::testing::ElementsAre;

// A tree that looks like /sys.
class CoreGroupsTest : public ::testing::Test {
 protected:
  void SetUp() override { root_ = absl::StrCat(::testing::TempDir(), "/core_groups_", getpid()); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + "/sys/devices/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << "\n";
  }
  void WriteCore(int core, const std::string& midr, const std::string& capacity, const std::string& max_khz) {
    const std::string path = absl::StrCat("system/cpu/cpu", core, "/");
    if (!midr.empty()) Write(path + "regs/identification/midr_el1", midr);
    if (!capacity.empty()) Write(path + "cpu_capacity", capacity);
    if (!max_khz.empty()) Write(path + "cpufreq/cpuinfo_max_freq", max_khz);
  }

  std::string root_;
};

TEST_F(CoreGroupsTest, CoresOfWhichNothingIsToldAreAlike) {
  const auto groups = ReadCoreGroups(root_, {1, 0, 2});
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_THAT(groups[0].cores, ElementsAre(0, 1, 2));
  EXPECT_EQ(groups[0].told_by, "");
  EXPECT_EQ(GroupSuffix(groups[0]), "");
}

TEST_F(CoreGroupsTest, BigAndLittleAreToldApartByTheirRegister) {
  for (int core = 0; core < 4; ++core) WriteCore(core, "0x00000000410fd034", "485", "1512000");
  for (int core = 4; core < 6; ++core) WriteCore(core, "0x00000000410fd082", "1024", "2016000");
  const auto groups = ReadCoreGroups(root_, {0, 1, 2, 3, 4, 5});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_THAT(groups[0].cores, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(groups[1].cores, ElementsAre(4, 5));
  EXPECT_EQ(groups[0].midr, 0x410fd034u);
  EXPECT_EQ(groups[1].capacity, 1024u);
  EXPECT_EQ(groups[0].told_by, "midr_el1");
  EXPECT_EQ(GroupSuffix(groups[0]), "cap485");
  EXPECT_EQ(ReadCoreGroups(root_, {4, 5}).size(), 1u) << "only cores that may be used count";
}

TEST_F(CoreGroupsTest, CapacityAndClockTellWhereNoRegisterDoes) {
  WriteCore(0, "", "400", "");
  WriteCore(1, "", "1024", "");
  EXPECT_EQ(ReadCoreGroups(root_, {0, 1})[1].told_by, "cpu_capacity");
  WriteCore(2, "", "", "1800000");
  WriteCore(3, "", "", "2400000");
  WriteCore(4, "", "", "2350000");
  const auto groups = ReadCoreGroups(root_, {2, 3, 4});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_THAT(groups[1].cores, ElementsAre(3, 4)) << "a favourite core is no kind of its own";
  EXPECT_EQ(groups[1].told_by, "cpuinfo_max_freq");
  EXPECT_EQ(GroupSuffix(groups[1]), "2400mhz");
}

TEST_F(CoreGroupsTest, HybridProcessorsNameTheirCores) {
  Write("cpu_core/cpus", "0-3");
  Write("cpu_atom/cpus", "4-7");
  const auto groups = ReadCoreGroups(root_, {0, 1, 2, 3, 4, 5, 6, 7});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_THAT(groups[1].cores, ElementsAre(4, 5, 6, 7));
  EXPECT_EQ(GroupSuffix(groups[0]), "core");
  EXPECT_EQ(GroupSuffix(groups[1]), "atom");
}

}  // namespace
}  // namespace tunefleet::device
