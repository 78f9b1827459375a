// The progress of a tuning run as text, and the sink that shows it: one live line on a terminal, plain lines every few
// seconds elsewhere.
#ifndef TUNEFLEET_TUNER_COMMANDS_PROGRESS_LINE_H_
#define TUNEFLEET_TUNER_COMMANDS_PROGRESS_LINE_H_

#include <cstdio>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "tuner/pipeline/progress.h"

namespace tunefleet::tuner {

// One line of at most `width` characters; a narrow one says the same in fewer letters, and cuts the name before the
// figures.
//   resnet18.C6 searching 57/128 | best 241.3 GFLOP/s (958 us) | 18.2 trials/s | device 93% | 2 refused | 4s left
//   resnet18.C6 57/128 | 241.3 GFLOP/s | 18.2/s | busy 93% | 2 refused | 4s left
//   resnet18.C6 57/128 | 241.3 GFLOP/s | 18.2/s | busy 93% | 2 failed | 4s left
//   conv2d(h=... 57/128 | 241.3 GFLOP/s | 18.2/s | busy 93% | 2 failed | 4s left
std::string ProgressLine(const std::string& name, const Progress& progress, int width,
                         absl::string_view rate_unit = "GFLOP/s");

// Not thread-safe: Report is called by one thread at a time (tuner/pipeline/progress.h).
class ProgressPrinter final : public ProgressSink {
 public:
  // `terminal`: redraws its line in place. The file stays the caller's.
  ProgressPrinter(std::FILE* file, bool terminal, const common::Clock* clock);
  // Ends the live line.
  ~ProgressPrinter() override;

  // The workload that the next reports are about, and the unit of its rate (RateUnit).
  void Begin(const std::string& name, const std::string& rate_unit = "GFLOP/s");
  void Report(const Progress& progress) override;
  // Clears the live line, so that other text can be printed.
  void Pause();

 private:
  std::FILE* const file_;
  const bool terminal_;
  const common::Clock& clock_;
  std::string name_;
  std::string rate_unit_;
  TuneStage stage_ = TuneStage::kDone;
  absl::Time printed_ = absl::InfinitePast();
  bool line_open_ = false;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_PROGRESS_LINE_H_
