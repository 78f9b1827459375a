#include "device_server/describe/caches.h"

#include <algorithm>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "device_server/describe/cpu_list.h"
#include "device_server/describe/sys_file.h"

namespace tunefleet::device {
namespace {

int32_t ReadNumber(const std::string& path) { return static_cast<int32_t>(ReadSysNumber(path).value_or(0)); }

// "48K", "2M" or plain bytes.
int64_t ParseSize(absl::string_view text) {
  int64_t unit = 1;
  if (absl::ConsumeSuffix(&text, "K")) unit = 1 << 10;
  if (absl::ConsumeSuffix(&text, "M")) unit = 1 << 20;
  int64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number * unit : 0;
}

constexpr int kMaxIndices = 16;

}  // namespace

std::vector<v1::CacheLevel> ReadCaches(const std::string& directory) {
  std::vector<v1::CacheLevel> caches;
  for (int index = 0; index < kMaxIndices; ++index) {
    const std::string path = absl::StrCat(directory, "/index", index, "/");
    const std::string type = ReadSysLine(path + "type");
    if (type != "Data" && type != "Unified") continue;
    v1::CacheLevel cache;
    cache.set_level(ReadNumber(path + "level"));
    cache.set_size_bytes(ParseSize(ReadSysLine(path + "size")));
    cache.set_line_bytes(ReadNumber(path + "coherency_line_size"));
    const auto sharers = ParseCpuList(ReadSysLine(path + "shared_cpu_list"));
    cache.set_shared_by_cores(sharers.ok() ? static_cast<int32_t>(sharers->size()) : 1);
    caches.push_back(std::move(cache));
  }
  std::stable_sort(caches.begin(), caches.end(), [](const auto& a, const auto& b) { return a.level() < b.level(); });
  return caches;
}

}  // namespace tunefleet::device
