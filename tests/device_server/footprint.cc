#include "tests/device_server/footprint.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tunefleet::device {
namespace {

int64_t CountEntries(const std::string& folder) {
  std::error_code ignored;
  return std::distance(std::filesystem::directory_iterator(folder, ignored), {});
}

int64_t CountLines(const std::string& path) {
  std::ifstream file(path);
  return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
}

}  // namespace

std::string Footprint::Text() const {
  return absl::StrFormat(
      "%d processes, %d threads, %d descriptors, %d mappings, %d KiB private, %d KiB shared, %d files", processes,
      threads, descriptors, mappings, private_kib, shared_kib, files);
}

Footprint FootprintOf(const std::vector<pid_t>& pids, const std::vector<std::string>& folders) {
  Footprint sum;
  for (const pid_t pid : pids) {
    const std::string proc = absl::StrCat("/proc/", pid);
    ++sum.processes;
    sum.threads += CountEntries(proc + "/task");
    sum.descriptors += CountEntries(proc + "/fd");
    sum.mappings += CountLines(proc + "/maps");
    std::ifstream status(proc + "/status");
    std::string name;
    while (status >> name) {
      int64_t kib = 0;
      if (name == "RssAnon:" && status >> kib) sum.private_kib += kib;
      if ((name == "RssFile:" || name == "RssShmem:") && status >> kib) sum.shared_kib += kib;
    }
  }
  for (const std::string& folder : folders) {
    std::error_code ignored;
    sum.files += std::distance(std::filesystem::recursive_directory_iterator(folder, ignored), {});
  }
  return sum;
}

}  // namespace tunefleet::device
