// A whole tuning run on an AArch64 device that this machine emulates: kernels built here, sent over the fleet, verified
// there. Needs the agent of the preset release-arm64 and qemu-aarch64; TUNEFLEET_ARM64_AGENT names another agent.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/integration/processes.h"

namespace tunefleet::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr int kTrials = 8;
constexpr char kTarget[] = "--target=aarch64-linux-gnu -mcpu=cortex-a53";

// The first of these files that may be run; "" for none.
std::string Runnable(const std::vector<std::string>& candidates) {
  for (const std::string& path : candidates) {
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

std::string Emulator() {
  const char* const path = std::getenv("PATH");
  std::vector<std::string> candidates;
  for (const absl::string_view folder : absl::StrSplit(path == nullptr ? "" : path, ':', absl::SkipEmpty())) {
    candidates.push_back(absl::StrCat(folder, "/qemu-aarch64"));
    candidates.push_back(absl::StrCat(folder, "/qemu-aarch64-static"));
  }
  return Runnable(candidates);
}

std::string Arm64Agent() {
  const char* const named = std::getenv("TUNEFLEET_ARM64_AGENT");
  return Runnable({named != nullptr ? named : TUNEFLEET_ARM64_AGENT});
}

class EmulatedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Emulator().empty()) GTEST_SKIP() << "qemu-aarch64 is not installed (deploy/install-deps.sh --cross=arm64)";
    if (Arm64Agent().empty()) {
      GTEST_SKIP() << "no agent for AArch64: cmake --preset release-arm64 && cmake --build --preset release-arm64";
    }
  }

  std::vector<std::string> Emulated(const std::vector<std::string>& options) const {
    std::vector<std::string> command = {Emulator(), "-cpu", "cortex-a53", Arm64Agent()};
    command.insert(command.end(), options.begin(), options.end());
    return command;
  }
  std::string Address() const { return absl::StrCat("unix:", sandbox_.Path("socket")); }
  std::string Tracker() const { return absl::StrCat("--tracker=", Address()); }
  std::string Records() const { return absl::StrCat("--records=", sandbox_.Path("conv.db")); }

  Sandbox sandbox_;
};

TEST_F(EmulatedTest, TheAgentSaysThatItIsEmulatedAndWhatItCannotEnforce) {
  const Finished list = RunProgram(sandbox_, Emulated({"--list", "--class=rk3399"}));
  ASSERT_EQ(list.exit, 0) << list.err;
  EXPECT_THAT(list.out, HasSubstr("class        emulated-rk3399"));
  EXPECT_THAT(list.out, HasSubstr("attribute    emulator = qemu-aarch64"));
  EXPECT_THAT(list.out, HasSubstr("aarch64-linux-gnu -mcpu=cortex-a53"));
  EXPECT_THAT(list.out, HasSubstr("isa = aes crc neon sha2"));
  EXPECT_THAT(list.out, Not(HasSubstr("seccomp"))) << "qemu-user has no system call filter";
  const Finished refused = RunProgram(sandbox_, Emulated({Tracker(), "--require-sandbox=full"}));
  EXPECT_EQ(refused.exit, 2);
  EXPECT_THAT(refused.err, HasSubstr("--require-sandbox=full: this machine enforces only"));
}

// One fleet with the emulated device and a real one, one database: neither's times reach the other's results.
TEST_F(EmulatedTest, KernelsBuiltHereAreTunedThereAndStayApart) {
  Process tracker(sandbox_, "tracker",
                  {Program("tunefleet-tracker"), absl::StrCat("--listen=", Address()),
                   absl::StrCat("--state=", sandbox_.Path("state"))});
  ASSERT_TRUE(tracker.PrintsSoon("listening")) << tracker.Err();
  Process emulated(sandbox_, "emulated", Emulated({Tracker(), "--id=arm"}));
  Process real(sandbox_, "real", {Program("tunefleet-device"), Tracker(), "--id=here", "--class=real"});
  ASSERT_TRUE(Soon([this] {
    const std::string devices = RunProgram(sandbox_, {Program("tunefleet"), "devices", Tracker(), "--json"}).out;
    return devices.find("\"arm\"") != std::string::npos && devices.find("\"here\"") != std::string::npos;
  })) << emulated.Err()
      << real.Err();

  const std::string op = "--op=conv2d(n=1,h=9,w=9,ci=8,co=16,k=3,s=1,p=1)";
  const std::vector<std::string> tune = {Program("tunefleet"),
                                         "tune",
                                         Tracker(),
                                         Records(),
                                         op,
                                         "--json",
                                         "--strategy=random",
                                         absl::StrCat("--trials=", kTrials)};
  std::vector<std::string> for_arm = tune;
  for_arm.push_back(kTarget);
  const Finished arm = RunProgram(sandbox_, for_arm);
  ASSERT_EQ(arm.exit, 0) << arm.out << arm.err << emulated.Err();
  std::vector<std::string> for_here = tune;
  for_here.push_back("--device=real");
  const Finished here = RunProgram(sandbox_, for_here);
  ASSERT_EQ(here.exit, 0) << here.out << here.err;

  int on_arm = 0, on_here = 0;
  for (const auto& record :
       JsonLines(RunProgram(sandbox_, {Program("tunefleet"), "records", "list", Records(), "--json"}).out)) {
    const auto text = [&](const char* field) { return record.fields().at(field).string_value(); };
    EXPECT_EQ(text("outcome"), "OK") << "a kernel whose output was not verified";
    const bool is_arm = text("device_class") == "emulated-aarch64-cortex-a53";
    EXPECT_EQ(text("target").find("aarch64") != std::string::npos, is_arm) << text("target");
    ++(is_arm ? on_arm : on_here);
  }
  EXPECT_GE(on_arm, kTrials);
  EXPECT_GE(on_here, kTrials);

  const auto best = JsonLines(RunProgram(sandbox_, {Program("tunefleet"), "best", Records(), op,
                                                    "--device=emulated-aarch64-cortex-a53", "--json"})
                                  .out);
  ASSERT_EQ(best.size(), 1u);
  EXPECT_EQ(best[0].fields().at("quality").string_value(), "noisy") << "times of an emulator are not to be trusted";

  const std::string library = sandbox_.Path("conv.so");
  const Finished build = RunProgram(
      sandbox_, {Program("tunefleet"), "build", Records(), op, "--device=emulated-aarch64-cortex-a53", "-o", library});
  ASSERT_EQ(build.exit, 0) << build.err;
  std::ifstream file(library, std::ios::binary);
  const std::string code(std::istreambuf_iterator<char>(file), {});
  ASSERT_GT(code.size(), sizeof(Elf64_Ehdr));
  EXPECT_EQ(static_cast<uint8_t>(code[18]), EM_AARCH64);
}

}  // namespace
}  // namespace tunefleet::testing
