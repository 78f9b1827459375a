// The agent must fit on a phone: no compiler and no learning library may creep in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

namespace tunefleet::device {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Output(const std::string& command) {
  std::string output;
  FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  std::array<char, 4096> part;
  while (const size_t count = fread(part.data(), 1, part.size(), pipe)) output.append(part.data(), count);
  pclose(pipe);
  return output;
}

TEST(DependenciesTest, TheAgentNeedsNeitherLlvmNorXgboostNorADatabase) {
  const std::string libraries = Output("ldd " TUNEFLEET_DEVICE_PROGRAM);
  ASSERT_THAT(libraries, HasSubstr("libc.so")) << "ldd did not work";
  for (const char* unwanted : {"libLLVM", "liblld", "libxgboost", "libsqlite", "libgomp", "libclang"}) {
    EXPECT_THAT(libraries, Not(HasSubstr(unwanted)));
  }
}

}  // namespace
}  // namespace tunefleet::device
