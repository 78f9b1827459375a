// A whole tuning run on a device of another architecture that this machine emulates: kernels built here, sent over the
// fleet, verified there. Needs the agent of the preset release-ARCH, build/sysroot-ARCH where it was made (see
// deploy/README.md), and qemu; TUNEFLEET_ARM64_AGENT, TUNEFLEET_ARMHF_AGENT and TUNEFLEET_RISCV64_AGENT name other
// agents.
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

struct Architecture {
  const char* name;  // Debian's
  const char* emulator;
  const char* processor;  // as the emulator calls it
  const char* agent_variable;
  const char* target;        // to build kernels for
  const char* own_target;    // as the agent reports it
  const char* family;        // the word by which its targets are told from those of this machine
  const char* device_class;  // as the agent names it
  const char* isa;           // what --list prints
  uint16_t machine;          // in its ELF files
};

constexpr Architecture kArchitectures[] = {
    {"arm64", "qemu-aarch64", "cortex-a53", "TUNEFLEET_ARM64_AGENT", "aarch64-linux-gnu -mcpu=cortex-a53",
     "aarch64-linux-gnu -mcpu=cortex-a53", "aarch64", "emulated-aarch64-cortex-a53", "isa = aes crc neon sha2",
     EM_AARCH64},
    {"armhf", "qemu-arm", "cortex-a7", "TUNEFLEET_ARMHF_AGENT", "armv7-linux-gnueabihf -mcpu=cortex-a7",
     "armv7-linux-gnueabihf -mcpu=generic", "armv7", "emulated-arm-generic", "isa = neon vfp4", EM_ARM},
    {"riscv64", "qemu-riscv64", "rv64", "TUNEFLEET_RISCV64_AGENT", "riscv64-linux-gnu -mcpu=generic",
     "riscv64-linux-gnu -mcpu=generic", "riscv64", "emulated-riscv64-generic", "isa = ", EM_RISCV},
};

// The first of these files that may be run; "" for none.
std::string Runnable(const std::vector<std::string>& candidates) {
  for (const std::string& path : candidates) {
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return "";
}

std::string Emulator(const Architecture& architecture) {
  const char* const path = std::getenv("PATH");
  std::vector<std::string> candidates;
  for (const absl::string_view folder : absl::StrSplit(path == nullptr ? "" : path, ':', absl::SkipEmpty())) {
    candidates.push_back(absl::StrCat(folder, "/", architecture.emulator));
    candidates.push_back(absl::StrCat(folder, "/", architecture.emulator, "-static"));
  }
  return Runnable(candidates);
}

std::string Agent(const Architecture& architecture) {
  const char* const named = std::getenv(architecture.agent_variable);
  if (named != nullptr) return Runnable({named});
  return Runnable({absl::StrCat(TUNEFLEET_BUILD_FOLDER, "/release-", architecture.name, "/bin/tunefleet-device")});
}

class EmulatedTest : public ::testing::TestWithParam<Architecture> {
 protected:
  void SetUp() override {
    if (Emulator(GetParam()).empty()) {
      GTEST_SKIP() << GetParam().emulator << " is not installed (deploy/install-deps.sh --compiler=" << GetParam().name
                   << ")";
    }
    if (Agent(GetParam()).empty()) {
      GTEST_SKIP() << "no agent for " << GetParam().name << ": cmake --preset release-" << GetParam().name
                   << " && cmake --build --preset release-" << GetParam().name << " (deploy/README.md)";
    }
  }

  std::vector<std::string> Emulated(const std::vector<std::string>& options) const {
    std::vector<std::string> command = {Emulator(GetParam()), "-cpu", GetParam().processor};
    const std::string sysroot = absl::StrCat(TUNEFLEET_BUILD_FOLDER, "/sysroot-", GetParam().name);
    if (access(sysroot.c_str(), F_OK) == 0) command.insert(command.end(), {"-L", sysroot});
    command.push_back(Agent(GetParam()));
    command.insert(command.end(), options.begin(), options.end());
    return command;
  }
  std::string Address() const { return absl::StrCat("unix:", sandbox_.Path("socket")); }
  std::string Tracker() const { return absl::StrCat("--tracker=", Address()); }
  std::string Records() const { return absl::StrCat("--records=", sandbox_.Path("conv.db")); }

  Sandbox sandbox_;
};

TEST_P(EmulatedTest, TheAgentSaysThatItIsEmulatedAndWhatItCannotEnforce) {
  const Finished list = RunProgram(sandbox_, Emulated({"--list", "--class=rk3399"}));
  ASSERT_EQ(list.exit, 0) << list.err;
  EXPECT_THAT(list.out, HasSubstr("class        emulated-rk3399"));
  EXPECT_THAT(list.out, HasSubstr(absl::StrCat("attribute    emulator = ", GetParam().emulator)));
  EXPECT_THAT(list.out, HasSubstr(GetParam().own_target));
  EXPECT_THAT(list.out, HasSubstr(GetParam().isa));
  EXPECT_THAT(list.out, Not(HasSubstr("seccomp"))) << "qemu-user has no system call filter";
  const Finished refused = RunProgram(sandbox_, Emulated({Tracker(), "--require-sandbox=full"}));
  EXPECT_EQ(refused.exit, 2);
  EXPECT_THAT(refused.err, HasSubstr("--require-sandbox=full: this machine enforces only"));
}

// One fleet with the emulated device and a real one, one database: neither's times reach the other's results.
TEST_P(EmulatedTest, KernelsBuiltHereAreTunedThereAndStayApart) {
  Process tracker(sandbox_, "tracker",
                  {Program("tunefleet-tracker"), absl::StrCat("--listen=", Address()),
                   absl::StrCat("--state=", sandbox_.Path("state"))});
  ASSERT_TRUE(tracker.PrintsSoon("listening")) << tracker.Err();
  Process emulated(sandbox_, "emulated", Emulated({Tracker(), "--id=there"}));
  Process real(sandbox_, "real", {Program("tunefleet-device"), Tracker(), "--id=here", "--class=real"});
  ASSERT_TRUE(Soon([this] {
    const std::string devices = RunProgram(sandbox_, {Program("tunefleet"), "devices", Tracker(), "--json"}).out;
    return devices.find("\"there\"") != std::string::npos && devices.find("\"here\"") != std::string::npos;
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
  std::vector<std::string> for_there = tune;
  for_there.push_back(absl::StrCat("--target=", GetParam().target));
  const Finished there = RunProgram(sandbox_, for_there);
  ASSERT_EQ(there.exit, 0) << there.out << there.err << emulated.Err();
  std::vector<std::string> for_here = tune;
  for_here.push_back("--device=real");
  const Finished here = RunProgram(sandbox_, for_here);
  ASSERT_EQ(here.exit, 0) << here.out << here.err;

  int on_there = 0, on_here = 0;
  for (const auto& record :
       JsonLines(RunProgram(sandbox_, {Program("tunefleet"), "records", "list", Records(), "--json"}).out)) {
    const auto text = [&](const char* field) { return record.fields().at(field).string_value(); };
    EXPECT_EQ(text("outcome"), "OK") << "a kernel whose output was not verified";
    const bool is_there = text("device_class") == GetParam().device_class;
    EXPECT_EQ(text("target").find(GetParam().family) != std::string::npos, is_there) << text("target");
    ++(is_there ? on_there : on_here);
  }
  EXPECT_GE(on_there, kTrials);
  EXPECT_GE(on_here, kTrials);

  const auto best = JsonLines(RunProgram(sandbox_, {Program("tunefleet"), "best", Records(), op,
                                                    absl::StrCat("--device=", GetParam().device_class), "--json"})
                                  .out);
  ASSERT_EQ(best.size(), 1u);
  EXPECT_EQ(best[0].fields().at("quality").string_value(), "noisy") << "times of an emulator are not to be trusted";

  const std::string library = sandbox_.Path("conv.so");
  const Finished build = RunProgram(sandbox_, {Program("tunefleet"), "build", Records(), op,
                                               absl::StrCat("--device=", GetParam().device_class), "-o", library});
  ASSERT_EQ(build.exit, 0) << build.err;
  std::ifstream file(library, std::ios::binary);
  const std::string code(std::istreambuf_iterator<char>(file), {});
  ASSERT_GT(code.size(), sizeof(Elf32_Ehdr));
  EXPECT_EQ(static_cast<uint8_t>(code[18]), GetParam().machine);
}

INSTANTIATE_TEST_SUITE_P(Architectures, EmulatedTest, ::testing::ValuesIn(kArchitectures),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace tunefleet::testing
