// The agent must fit on a phone: no compiler and no learning library may creep in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace tunefleet::device {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

std::string Output(const std::string& command) {
  std::string output;
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> part;
  while (const size_t count = fread(part.data(), 1, part.size(), pipe)) output.append(part.data(), count);
  pclose(pipe);
  return output;
}

TEST(DependenciesTest, TheAgentNeedsNothingButTheCLibrary) {
  const std::string libraries = Output("readelf --dynamic --wide " TUNEFLEET_DEVICE_PROGRAM " | grep NEEDED");
  ASSERT_THAT(libraries, HasSubstr("libc.so")) << "readelf did not work";
  for (const absl::string_view line : absl::StrSplit(libraries, '\n', absl::SkipEmpty())) {
    EXPECT_THAT(line,
                AnyOf(HasSubstr("[libc.so"), HasSubstr("[libm.so"), HasSubstr("[libdl.so"), HasSubstr("[ld-linux")));
  }
}

TEST(DependenciesTest, TheAgentFitsOnAPhone) {
  constexpr int64_t kMostBytes = int64_t{25} << 20;
  char folder[] = "/tmp/tunefleet-strip-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string stripped = absl::StrCat(folder, "/agent");
  Output(absl::StrCat("strip -o ", stripped, " " TUNEFLEET_DEVICE_PROGRAM));
  std::error_code error;
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(stripped, error));
  EXPECT_FALSE(error) << "strip did not work";
  EXPECT_LT(bytes, kMostBytes);
  std::filesystem::remove_all(folder, error);
}

}  // namespace
}  // namespace tunefleet::device
