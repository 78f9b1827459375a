// A folder that looks like the machine's root, with a /sys that tells of cores what a test wants told.
#ifndef TUNEFLEET_TESTS_DEVICE_SERVER_FAKE_SYS_H_
#define TUNEFLEET_TESTS_DEVICE_SERVER_FAKE_SYS_H_

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"

namespace tunefleet::device {

class FakeSys {
 public:
  const std::string& root() const { return folder_.path(); }

  // `path` below /sys/devices.
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = folder_ / ("sys/devices/" + path);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text << "\n";
  }
  // Empty: there is no such file.
  void WriteCore(int core, const std::string& midr, const std::string& capacity, const std::string& max_khz) {
    const std::string path = absl::StrCat("system/cpu/cpu", core, "/");
    if (!midr.empty()) Write(path + "regs/identification/midr_el1", midr);
    if (!capacity.empty()) Write(path + "cpu_capacity", capacity);
    if (!max_khz.empty()) Write(path + "cpufreq/cpuinfo_max_freq", max_khz);
  }
  // Four Cortex-A53 and two Cortex-A72.
  void WriteBigLittle() {
    for (int core = 0; core < 4; ++core) WriteCore(core, "0x00000000410fd034", "485", "1512000");
    for (int core = 4; core < 6; ++core) WriteCore(core, "0x00000000410fd082", "1024", "2016000");
  }

 private:
  TempDir folder_;
};

}  // namespace tunefleet::device

#endif  // TUNEFLEET_TESTS_DEVICE_SERVER_FAKE_SYS_H_
