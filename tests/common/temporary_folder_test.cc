#include "common/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace tunefleet::common {
namespace {

TEST(TemporaryFolderTest, IsPrivateAndGoneWithWhatItHolds) {
  const TempDir base;
  std::string path;
  {
    const auto folder = TemporaryFolder::Make(base.path(), "scratch-");
    ASSERT_TRUE(folder.ok()) << folder.status();
    path = (*folder)->path();
    EXPECT_THAT(path, ::testing::StartsWith(base / "scratch-"));
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_all);
    std::ofstream(path + "/file") << "text";
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TemporaryFolderTest, ABaseThatIsNotThereIsAnError) {
  const absl::Status status = TemporaryFolder::Make("/nonexistent", "x-").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("/nonexistent"));
}

}  // namespace
}  // namespace tunefleet::common
