// The agent must fit on a phone: no compiler and no learning library may creep in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/device_server/agent_process.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::device {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

TEST(DependenciesTest, TheAgentNeedsNothingButTheCLibrary) {
  const std::string libraries = OutputOf("readelf --dynamic --wide " TUNEFLEET_DEVICE_PROGRAM " | grep NEEDED");
  ASSERT_THAT(libraries, HasSubstr("libc.so")) << "readelf did not work";
  for (const absl::string_view line : absl::StrSplit(libraries, '\n', absl::SkipEmpty())) {
    EXPECT_THAT(line,
                AnyOf(HasSubstr("[libc.so"), HasSubstr("[libm.so"), HasSubstr("[libdl.so"), HasSubstr("[ld-linux")));
  }
}

TEST(DependenciesTest, TheAgentFitsOnAPhone) {
  constexpr int64_t kMostBytes = int64_t{25} << 20;
  const TempDir folder;
  const std::string stripped = folder / "agent";
  OutputOf(absl::StrCat("strip -o ", stripped, " " TUNEFLEET_DEVICE_PROGRAM));
  std::error_code error;
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(stripped, error));
  EXPECT_FALSE(error) << "strip did not work";
  EXPECT_LT(bytes, kMostBytes);
}

}  // namespace
}  // namespace tunefleet::device
