#include "tuner/commands/tune_report.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tuner/commands/json.h"
#include "tuner/commands/parts.h"
#include "tuner/commands/text.h"

namespace tunefleet::tuner {
namespace {

int Sum(const std::map<v1::Outcome, int>& failures) {
  int sum = 0;
  for (const auto& [outcome, count] : failures) sum += count;
  return sum;
}

int TrialsOfThisRun(const Progress& progress) { return std::max(0, progress.trials_done - progress.trials_resumed); }

std::string ResultJson(const TuningTask& task, const TuneSummary& summary) {
  const Progress& progress = summary.progress;
  JsonObject failures;
  for (const auto& [outcome, count] : progress.failures) failures.Integer(OutcomeName(outcome), count);
  JsonObject object;
  object.Text("workload", task.name)
      .Text("op", task.identity.workload_key)
      .Text("target", TargetText(task.identity.target))
      .Text("device_class", task.identity.device_class)
      .Integer("threads", std::max(1, task.identity.target.threads()))
      .Text("cache", CacheModeName(task.identity.cache_mode))
      .Text("status", summary.cancelled          ? "stopped"
                      : summary.best.has_value() ? "ok"
                                                 : "failed")
      .Integer("trials", progress.trials_done)
      .Integer("trials_resumed", progress.trials_resumed)
      .Bool("exhausted", summary.exhausted)
      .Raw("failures", failures.Print())
      .Number("trials_per_second", progress.trials_per_second)
      .Number("device_busy", progress.device_busy)
      .Number("planning_s", absl::ToDoubleSeconds(progress.planning_time))
      .Number("longest_planning_s", absl::ToDoubleSeconds(progress.longest_planning))
      .Number("seconds", absl::ToDoubleSeconds(progress.elapsed));
  if (!summary.best.has_value()) {
    return object.Null("best_latency_ns").Null("best_gflops").Text("why", summary.explanation).Print();
  }
  const v1::TuningRecord& best = *summary.best;
  JsonObject knobs;
  for (const v1::KnobValue& knob : best.config().knobs()) knobs.Integer(knob.name(), knob.value());
  return object.Number("best_latency_ns", RecordLatencyNs(best))
      .Number("best_gflops", task.flops / RecordLatencyNs(best))
      .Text("best_trial", best.trial_id())
      .Text("pass_pipeline", best.pass_pipeline())
      .Text("space", best.config().space())
      .Raw("config", knobs.Print())
      .Print();
}

}  // namespace

std::string TuneReport::Add(const TuningTask& task, const TuneSummary& summary) {
  const Progress& progress = summary.progress;
  results_.push_back(ResultJson(task, summary));
  names_.push_back(task.name);
  rate_units_.insert(RateUnit(task.identity.workload));
  cancelled_ |= summary.cancelled;

  std::string text =
      absl::StrFormat("%s on %s (%s, %s)\n", task.name, task.identity.device_class, TargetText(task.identity.target),
                      ConditionsText(task.identity.target, task.identity.cache_mode));
  if (summary.best.has_value()) {
    const double latency_ns = RecordLatencyNs(*summary.best);
    sum_log_gflops_ += std::log(task.flops / latency_ns);
    absl::StrAppendFormat(&text, "  best     %s, %.1f %s (trial %s, %s)\n", LatencyText(latency_ns),
                          task.flops / latency_ns, RateUnit(task.identity.workload), summary.best->trial_id(),
                          summary.best->pass_pipeline());
    absl::StrAppend(&text, "  config   ", summary.best->config().space(), ": ", KnobText(summary.best->config()), "\n");
  } else {
    ++failed_;
    absl::StrAppend(&text, "  best     no valid kernel: ", summary.explanation, "\n");
  }
  const int failures = Sum(progress.failures);
  const int trials = TrialsOfThisRun(progress);
  absl::StrAppendFormat(&text, "  trials   %d of %d (%d from earlier runs), %d failed", progress.trials_done,
                        progress.trials_total, progress.trials_resumed, failures);
  if (failures > 0) {
    absl::StrAppendFormat(&text, " (%.1f%%: %s)", 100.0 * failures / std::max(trials, failures),
                          FailureList(progress.failures));
  }
  if (summary.exhausted) absl::StrAppend(&text, "; the spaces hold no more");
  absl::StrAppendFormat(&text, "\n  time     %.1f s, %.1f trials/s, device busy %.0f%%\n",
                        absl::ToDoubleSeconds(progress.elapsed), progress.trials_per_second,
                        100 * progress.device_busy);
  return text;
}

std::string TuneReport::End(absl::Duration elapsed) const {
  std::string text;
  const int valid = static_cast<int>(names_.size()) - failed_;
  if (names_.size() > 1) {
    absl::StrAppendFormat(&text, "%d operators, %d without a valid kernel; geometric mean %.1f %s; %.1f s\n",
                          names_.size(), failed_, valid > 0 ? std::exp(sum_log_gflops_ / valid) : 0.0,
                          rate_units_.size() == 1 ? *rate_units_.begin() : "GOP/s", absl::ToDoubleSeconds(elapsed));
  }
  if (cancelled_) {
    absl::StrAppend(&text, "stopped: what was measured is in ", records_, "; the same command continues there\n");
  } else if (valid > 0) {
    absl::StrAppend(&text, "next: tunefleet best --records=", records_, "\n");
  }
  if (!json_) return text;
  return absl::StrCat(text,
                      JsonObject()
                          .Text("status", cancelled_    ? "stopped"
                                          : failed_ > 0 ? "failed"
                                                        : "ok")
                          .Text("records", records_)
                          .Number("seconds", absl::ToDoubleSeconds(elapsed))
                          .Number("geomean_gflops", valid > 0 ? std::exp(sum_log_gflops_ / valid) : 0.0)
                          .Raw("results", JsonArray(results_))
                          .Print(),
                      "\n");
}

int TuneReport::exit_status() const {
  if (cancelled_) return kExitInterrupted;
  return failed_ > 0 ? kExitFailed : kExitOk;
}

}  // namespace tunefleet::tuner
