// Against folders that look like a hierarchy: what is written where.
#include "device_server/sandbox/worker_group.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::device {
namespace {

class WorkerGroupTest : public ::testing::Test {
 protected:
  // A group with the controllers, this process alone in it, and room for the groups below.
  void SetUp() override {
    Put("cgroup.controllers", "cpu memory pids\n");
    Put("cgroup.subtree_control", "");
    Put("cgroup.procs", absl::StrCat(getpid(), "\n"));
    Put("tunefleet-agent/cgroup.procs", "");
    for (const char* name : {"cgroup.procs", "memory.max", "pids.max"}) Put(absl::StrCat("tunefleet-d/", name), "");
  }
  void Put(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  std::string Get(const std::string& name) {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  absl::Status Create() { return WorkerGroup::Create(folder_.path(), "d").status(); }

  TempDir folder_;
};

TEST(UnifiedGroupTest, IsTheLineWithoutControllers) {
  EXPECT_EQ(UnifiedGroup("0::/system.slice/x.service\n"), "/system.slice/x.service");
  EXPECT_EQ(UnifiedGroup("3:cpu:/a\n0::/\n"), "/");
  EXPECT_EQ(UnifiedGroup("3:cpu:/a\n"), "");
  EXPECT_EQ(UnifiedGroup(""), "");
}

TEST_F(WorkerGroupTest, TheAgentMovesOutOfTheWayAndWorkersAreLimited) {
  const auto group = WorkerGroup::Create(folder_.path(), "d");
  ASSERT_TRUE(group.ok()) << group.status();
  EXPECT_EQ(Get("tunefleet-agent/cgroup.procs"), "0");
  EXPECT_EQ(Get("cgroup.subtree_control"), "+memory +pids");
  ASSERT_TRUE((*group)->LimitMemory(1000000).ok());
  ASSERT_TRUE((*group)->LimitTasks(20).ok());
  EXPECT_EQ(Get("tunefleet-d/memory.max"), "1000000");
  EXPECT_EQ(Get("tunefleet-d/pids.max"), "20");
  ASSERT_EQ(write((*group)->entrance(), "0", 1), 1);
  EXPECT_EQ(Get("tunefleet-d/cgroup.procs"), "0");
}

TEST_F(WorkerGroupTest, AnAgentThatWasStartedAnewUsesTheGroupsOfItsPredecessor) {
  Put("cgroup.subtree_control", "memory pids\n");
  const auto group = WorkerGroup::Create(folder_ / "tunefleet-agent", "d");
  ASSERT_TRUE(group.ok()) << group.status();
  EXPECT_EQ(Get("tunefleet-agent/cgroup.procs"), "") << "it stays where it is";
}

TEST_F(WorkerGroupTest, WithoutControllersOrAmongOthersThereIsNoGroup) {
  Put("cgroup.procs", absl::StrCat(getpid(), "\n1\n"));
  EXPECT_EQ(Create().code(), absl::StatusCode::kUnavailable) << "other processes";
  Put("cgroup.procs", "");
  EXPECT_TRUE(Create().ok());
  Put("cgroup.controllers", "cpu\n");
  EXPECT_EQ(Create().code(), absl::StatusCode::kUnavailable) << "no controllers";
  EXPECT_EQ(WorkerGroup::Create(folder_ / "nowhere", "d").status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace tunefleet::device
