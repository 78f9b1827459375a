#include "tuner/commands/progress_line.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "tuner/commands/text.h"

namespace tunefleet::tuner {
namespace {

constexpr absl::Duration kRedraw = absl::Milliseconds(100);
constexpr absl::Duration kPlainLine = absl::Seconds(3);
constexpr int kPlainWidth = 240;

const char* StageText(TuneStage stage) {
  switch (stage) {
    case TuneStage::kPreparing:
      return "preparing";
    case TuneStage::kResuming:
      return "resuming";
    case TuneStage::kSearching:
      return "searching";
    case TuneStage::kFinalists:
      return "comparing finalists";
    case TuneStage::kWinner:
      return "refining winner";
    case TuneStage::kDone:
      return "done";
  }
  return "";
}

std::string TimeLeftText(absl::Duration left) {
  const int64_t seconds = absl::ToInt64Seconds(absl::Ceil(left, absl::Seconds(1)));
  if (seconds < 100) return absl::StrCat(seconds, "s left");
  if (seconds < 6000) return absl::StrFormat("%dm%02ds left", seconds / 60, seconds % 60);
  return absl::StrFormat("%dh%02dm left", seconds / 3600, seconds / 60 % 60);
}

// In how many letters the line is said.
enum class Wording {
  kFull,
  kBrief,
  kBriefest,  // and failures are one number
};

std::string Line(absl::string_view name, const Progress& progress, absl::string_view rate_unit, Wording wording) {
  const bool brief = wording != Wording::kFull;
  std::vector<std::string> parts;
  parts.push_back(absl::StrCat(name, " ", brief ? "" : StageText(progress.stage), brief ? "" : " ",
                               progress.trials_done, "/", progress.trials_total));
  if (progress.best_latency_ns > 0) {
    parts.push_back(absl::StrFormat("%s%.1f %s", brief ? "" : "best ", progress.best_gflops, rate_unit));
    if (!brief) absl::StrAppend(&parts.back(), " (", LatencyText(progress.best_latency_ns), ")");
  } else {
    parts.push_back("no kernel yet");
  }
  parts.push_back(absl::StrFormat("%.1f%s", progress.trials_per_second, brief ? "/s" : " trials/s"));
  parts.push_back(absl::StrFormat("%s %.0f%%", brief ? "busy" : "device", 100 * progress.device_busy));
  int failures = 0;
  for (const auto& [outcome, count] : progress.failures) failures += count;
  if (failures > 0) {
    parts.push_back(wording == Wording::kBriefest ? absl::StrCat(failures, " failed") : FailureList(progress.failures));
  }
  if (progress.stage == TuneStage::kDone) {
    parts.push_back(absl::StrFormat("%.1fs", absl::ToDoubleSeconds(progress.elapsed)));
  } else if (progress.time_left != absl::InfiniteDuration()) {
    parts.push_back(TimeLeftText(progress.time_left));
  }
  return absl::StrJoin(parts, " | ");
}

int TerminalWidth(std::FILE* file) {
  winsize size{};
  return ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col - 1 : 79;
}

}  // namespace

std::string ProgressLine(const std::string& name, const Progress& progress, int width, absl::string_view rate_unit) {
  const size_t most = std::max(width, 0);
  std::string line;
  for (const Wording wording : {Wording::kFull, Wording::kBrief, Wording::kBriefest}) {
    line = Line(name, progress, rate_unit, wording);
    if (line.size() <= most) return line;
  }
  constexpr size_t kShortestName = 8;
  const size_t excess = line.size() - most + 3;  // "..." takes room too
  if (name.size() >= kShortestName + excess) {
    line = Line(absl::StrCat(name.substr(0, name.size() - excess), "..."), progress, rate_unit, Wording::kBriefest);
  }
  return line.substr(0, most);
}

ProgressPrinter::ProgressPrinter(std::FILE* file, bool terminal, const common::Clock* clock)
    : file_(file), terminal_(terminal), clock_(*clock) {}

ProgressPrinter::~ProgressPrinter() { Pause(); }

void ProgressPrinter::Begin(const std::string& name, const std::string& rate_unit) {
  name_ = name;
  rate_unit_ = rate_unit;
  printed_ = absl::InfinitePast();
}

void ProgressPrinter::Report(const Progress& progress) {
  const absl::Time now = clock_.Now();
  const bool news = progress.stage != stage_;
  if (!news && now - printed_ < (terminal_ ? kRedraw : kPlainLine)) return;
  stage_ = progress.stage;
  printed_ = now;
  if (terminal_) {
    std::fprintf(file_, "\r%s\x1b[K", ProgressLine(name_, progress, TerminalWidth(file_), rate_unit_).c_str());
    line_open_ = true;
  } else {
    std::fprintf(file_, "%s\n", ProgressLine(name_, progress, kPlainWidth, rate_unit_).c_str());
  }
  std::fflush(file_);
}

void ProgressPrinter::Pause() {
  if (!line_open_) return;
  std::fprintf(file_, "\r\x1b[K");
  std::fflush(file_);
  line_open_ = false;
}

}  // namespace tunefleet::tuner
