#include "tuner/commands/text.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"

namespace tunefleet::tuner {

std::string OutcomeName(v1::Outcome outcome) {
  const std::string name = v1::Outcome_Name(outcome);
  return absl::StartsWith(name, "OUTCOME_") ? name.substr(8) : absl::StrCat("OUTCOME_", static_cast<int>(outcome));
}

std::string OutcomePhrase(v1::Outcome outcome) {
  return absl::StrReplaceAll(absl::AsciiStrToLower(OutcomeName(outcome)), {{"_", " "}});
}

std::string FailureList(const std::map<v1::Outcome, int>& failures) {
  std::vector<std::pair<v1::Outcome, int>> sorted(failures.begin(), failures.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return absl::StrJoin(sorted, ", ", [](std::string* out, const auto& entry) {
    absl::StrAppend(out, entry.second, " ", OutcomePhrase(entry.first));
  });
}

std::string LatencyText(double latency_ns) {
  if (latency_ns < 1e3) return absl::StrFormat("%.3g ns", latency_ns);
  if (latency_ns < 1e6) return absl::StrFormat("%.3g us", latency_ns / 1e3);
  if (latency_ns < 1e9) return absl::StrFormat("%.3f ms", latency_ns / 1e6);
  return absl::StrFormat("%.2f s", latency_ns / 1e9);
}

const char* RateUnit(const v1::Workload& workload) {
  const bool integers = workload.tensors_size() > 0 && workload.tensors(0).dtype() == v1::DATA_TYPE_INT8;
  return integers ? "GOP/s" : "GFLOP/s";
}

std::string KnobText(const v1::Config& config) {
  return absl::StrJoin(config.knobs(), " ", [](std::string* out, const v1::KnobValue& knob) {
    absl::StrAppend(out, knob.name(), "=", knob.value());
  });
}

std::string TargetText(const v1::Target& target) {
  return target.cpu().empty() ? target.triple() : absl::StrCat(target.triple(), " -mcpu=", target.cpu());
}

std::string ThreadsText(const v1::Target& target) {
  const int threads = std::max(1, target.threads());
  return absl::StrCat(threads, threads == 1 ? " thread" : " threads");
}

const std::vector<std::string>& CacheModeNames() {
  static const auto* const names = new std::vector<std::string>{"warm", "cold", "rotating"};
  return *names;
}

std::string CacheModeName(v1::CacheMode mode) {
  switch (mode) {
    case v1::CACHE_MODE_COLD:
      return "cold";
    case v1::CACHE_MODE_ROTATING:
      return "rotating";
    default:
      return "warm";
  }
}

v1::CacheMode CacheModeOf(absl::string_view name) {
  if (name == "cold") return v1::CACHE_MODE_COLD;
  return name == "rotating" ? v1::CACHE_MODE_ROTATING : v1::CACHE_MODE_WARM;
}

std::string ConditionsText(const v1::Target& target, v1::CacheMode mode) {
  const std::string name = CacheModeName(mode);
  return absl::StrCat(ThreadsText(target), name == "warm" ? "" : absl::StrCat(", ", name, " caches"));
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ",
                          absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()), absl::UTCTimeZone());
}

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      absl::StrAppend(&line, row[i], std::string(i + 1 < row.size() ? widths[i] - row[i].size() + 2 : 0, ' '));
    }
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

double RecordLatencyNs(const v1::TuningRecord& record) {
  const bool timed = record.result().outcome() == v1::OUTCOME_OK && record.result().kernels_size() > 0;
  return timed ? static_cast<double>(record.result().kernels(0).latency_ns()) : 0;
}

}  // namespace tunefleet::tuner
