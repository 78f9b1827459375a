#include "device_server/program_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_dir.h"

namespace tunefleet::device {
namespace {

class ProgramFileTest : public ::testing::Test {
 protected:
  void Put(const std::string& content, mode_t mode, const std::string& name = "program") {
    std::ofstream(folder_ / "draft") << content;
    chmod((folder_ / "draft").c_str(), mode);
    std::filesystem::rename(folder_ / "draft", folder_ / name);
  }
  TempDir folder_;
};

TEST_F(ProgramFileTest, IsReplacedByAnotherExecutableThatStaysAsItIs) {
  Put("one", 0755);
  ProgramFile program(folder_ / "program");
  EXPECT_FALSE(program.Replaced());
  EXPECT_FALSE(program.Replaced());
  Put("two and", 0755);
  EXPECT_FALSE(program.Replaced()) << "it might still be written";
  Put("two and more", 0755);
  EXPECT_FALSE(program.Replaced());
  EXPECT_TRUE(program.Replaced());
}

TEST_F(ProgramFileTest, IsNotReplacedByNothingOrByWhatCannotRun) {
  Put("one", 0755);
  ProgramFile program(folder_ / "program");
  std::filesystem::remove(folder_ / "program");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(program.Replaced());
  Put("", 0755);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(program.Replaced()) << "empty";
  std::filesystem::create_directory(folder_ / "other");
  std::filesystem::remove(folder_ / "program");
  std::filesystem::rename(folder_ / "other", folder_ / "program");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(program.Replaced()) << "a folder";
}

TEST_F(ProgramFileTest, InABundleEitherTheLauncherOrWhatItStartsMayBeReplaced) {
  for (const char* folder : {"bin", "programs"}) std::filesystem::create_directory(folder_ / folder);
  for (const char* name : {"programs/agent", "bin/agent"}) {
    Put("launcher", 0755, "bin/agent");
    Put("program", 0755, "programs/agent");
    ProgramFile program(folder_ / "bin/agent");
    EXPECT_FALSE(program.Replaced());
    Put("of another version", 0755, name);
    EXPECT_FALSE(program.Replaced());
    EXPECT_TRUE(program.Replaced()) << name;
    std::filesystem::remove(folder_ / "programs/agent");
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(program.Replaced()) << "half of a bundle";
  }
}

TEST_F(ProgramFileTest, AFileThatIsNoProgramDoesNotStart) {
  Put("not a program", 0755);
  char name[] = "program";
  char* arguments[] = {name, nullptr};
  EXPECT_EQ(ProgramFile(folder_ / "program").StartAnew(arguments).code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace tunefleet::device
