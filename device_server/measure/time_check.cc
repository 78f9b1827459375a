#include "device_server/measure/time_check.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace tunefleet::device {
namespace {

// An honest worker is late too: it waits for its core, the supervisor for its own, the first run after another
// process's work finds its data in no cache. On a machine with several busy processes for each core a wait is some
// milliseconds, seldom tens of them, and it strikes one exchange and spares the next. So nothing is said against a
// kernel unless *every* exchange was late, five at the least and twenty where they can be had at will, each by more
// than such a wait and by a factor that no cache makes up for. Where idle exchanges are late as well (processes of
// real-time rank can keep the supervisor waiting for as long as they like), a run has their wait granted, and samples
// say nothing. What a run touches is taken to come at 1 GB/s, a tenth
// of the slowest board's memory, and lines to be flushed at four times the cost of that.
constexpr size_t kFewestSamples = 5;
constexpr double kLateFactor = 4;
constexpr absl::Duration kLateSample = absl::Milliseconds(10);
constexpr size_t kMostJudgedRuns = 20;
constexpr double kWaitFactor = 4;
constexpr absl::Duration kLateExchange = absl::Milliseconds(5);
constexpr double kSlowFactor = 10;
constexpr absl::Duration kSlowRun = absl::Milliseconds(2);
constexpr double kTouchedNsPerByte = 1;
constexpr double kFlushedNsPerByte = 4;

absl::Duration Median(std::vector<absl::Duration> values) {
  if (values.empty()) return absl::ZeroDuration();
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

void TimeCheck::AddSample(uint32_t runs, absl::Duration reported, absl::Duration seen, bool flushed) {
  reported_runs_.push_back(reported / std::max(runs, 1u));
  const double flush_ns = flushed ? kFlushedNsPerByte * static_cast<double>(touched_bytes_) * runs : 0;
  if (seen > kLateFactor * reported + kLateSample + absl::Nanoseconds(flush_ns)) ++late_samples_;
}

void TimeCheck::AddJudgedRun(absl::Duration seen) {
  ++judged_runs_;
  fastest_judged_ = std::min(fastest_judged_, seen);
}

void TimeCheck::AddIdleExchange(absl::Duration seen) { idle_exchanges_.push_back(seen); }

bool TimeCheck::SamplesAreLate() const {
  return late_samples_ >= kFewestSamples && late_samples_ == reported_runs_.size() &&
         Median(idle_exchanges_) < kLateExchange;
}

bool TimeCheck::JudgedRunsAreSlow() const {
  if (reported_runs_.empty() || judged_runs_ == 0) return false;
  const absl::Duration touch = absl::Nanoseconds(kTouchedNsPerByte * static_cast<double>(touched_bytes_));
  const absl::Duration wait = kWaitFactor * Median(idle_exchanges_);
  return fastest_judged_ > kSlowFactor * Median(reported_runs_) + kSlowRun + touch + wait;
}

bool TimeCheck::WantsEvidence() const {
  return judged_runs_ < kMostJudgedRuns && (SamplesAreLate() || JudgedRunsAreSlow());
}

std::string TimeCheck::Doubt() const {
  if (judged_runs_ < kMostJudgedRuns) return "";
  if (SamplesAreLate()) {
    return absl::StrCat("each of ", late_samples_, " samples took the supervisor's clock far longer than was reported");
  }
  if (JudgedRunsAreSlow()) {
    return absl::StrCat("a run takes ", absl::FormatDuration(fastest_judged_), " or more when its outputs are judged, ",
                        absl::FormatDuration(Median(reported_runs_)), " when it is timed");
  }
  return "";
}

}  // namespace tunefleet::device
