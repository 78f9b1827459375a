// What `tunefleet tune` says at the end of each operator and of the run, for people and machines.
#ifndef TUNEFLEET_TUNER_COMMANDS_TUNE_REPORT_H_
#define TUNEFLEET_TUNER_COMMANDS_TUNE_REPORT_H_

#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tuner/pipeline/pipeline.h"

namespace tunefleet::tuner {

// Builds text only; prints nothing.
class TuneReport {
 public:
  // `json`: End adds the object as the last line.
  TuneReport(std::string records, bool json) : records_(std::move(records)), json_(json) {}

  // The operator's result, a few lines.
  std::string Add(const TuningTask& task, const TuneSummary& summary);
  // The summary of several operators, what to type next, and the JSON object.
  std::string End(absl::Duration elapsed) const;
  // kExitInterrupted after a stop, kExitFailed when an operator has no valid kernel, kExitOk otherwise.
  int exit_status() const;

 private:
  const std::string records_;
  const bool json_;
  std::vector<std::string> results_;  // JSON
  std::vector<std::string> names_;
  std::set<std::string> rate_units_;
  int failed_ = 0;
  double sum_log_gflops_ = 0;  // of the operators that have a kernel
  bool cancelled_ = false;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_TUNE_REPORT_H_
