#include "tuner/pipeline/finals.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/proto_time.h"
#include "common/status_macros.h"
#include "tuner/pipeline/build_candidate.h"

namespace tunefleet::tuner {
namespace {

// A space's best is heard when it is at most this much slower than the best of all. A search finds its kernels alone
// with their caches; side by side, one that fills the last level loses what its latency rested on.
constexpr double kRivalMargin = 1.5;

// The trusted trials of the search, fastest first.
std::vector<v1::TuningRecord> Ranking(const TuneContext& context, const std::vector<StoredRecord>& records,
                                      size_t begin) {
  std::vector<v1::TuningRecord> contenders;
  for (size_t i = begin; i < records.size(); ++i) {
    const bool usable = records[i].stage == TrialStage::kSearch && TrustedLatencyNs(records[i].record) > 0 &&
                        FindCandidate(context.task, records[i].record.config()).ok();
    if (usable) contenders.push_back(records[i].record);
  }
  std::stable_sort(contenders.begin(), contenders.end(),
                   [](const auto& a, const auto& b) { return TrustedLatencyNs(a) < TrustedLatencyNs(b); });
  return contenders;
}

// The fastest trials that lie within the noise of the best, as many as there are finalists, and the best of every other
// space that comes near; fastest first.
std::vector<v1::TuningRecord> Contenders(const TuneContext& context, const std::vector<StoredRecord>& records) {
  std::vector<v1::TuningRecord> contenders;
  std::set<std::string> spaces;
  int close = 0;
  for (v1::TuningRecord& record : Ranking(context, records, 0)) {
    const double best = contenders.empty() ? TrustedLatencyNs(record) : TrustedLatencyNs(contenders.front());
    const double ratio = TrustedLatencyNs(record) / best;
    const bool first_of_space = spaces.insert(record.config().space()).second;
    const bool is_close = ratio <= 1 + context.options.noise && close < context.options.finalists;
    if (!is_close && !(first_of_space && ratio <= kRivalMargin)) continue;
    close += is_close;
    contenders.push_back(std::move(record));
  }
  return contenders;
}

// Position of the last trusted verdict of the stage, or -1.
int LastVerdict(const std::vector<StoredRecord>& records, TrialStage stage) {
  for (int i = static_cast<int>(records.size()) - 1; i >= 0; --i) {
    if (records[i].stage == stage && TrustedLatencyNs(records[i].record) > 0) return i;
  }
  return -1;
}

// True when the verdict was passed and no later trial comes near it.
bool Stands(const TuneContext& context, const std::vector<StoredRecord>& records, int verdict) {
  if (verdict < 0) return false;
  const std::vector<v1::TuningRecord> later = Ranking(context, records, verdict + 1);
  return later.empty() ||
         TrustedLatencyNs(later[0]) > TrustedLatencyNs(records[verdict].record) * (1 + context.options.noise);
}

// Builds; what cannot be built is left out.
std::vector<BuiltCandidate> Build(TuneContext& context,
                                  const std::vector<std::pair<v1::Config, std::string>>& configs) {
  std::vector<BuiltCandidate> kernels;
  for (const auto& [config, pass_pipeline] : configs) {
    const auto candidate = FindCandidate(context.task, config);
    if (!candidate.ok() || context.control.halted()) continue;
    BuiltCandidate built = BuildCandidate(context.task, *candidate, pass_pipeline, context.builder);
    const bool known = std::any_of(kernels.begin(), kernels.end(), [&](const BuiltCandidate& kernel) {
      return kernel.manifest.code_digest() == built.manifest.code_digest();
    });
    if (built.outcome == v1::OUTCOME_OK && !known) kernels.push_back(std::move(built));
  }
  return kernels;
}

// Measures the kernels interleaved. The verdict, when there is one, is recorded.
void Compare(TuneContext& context, TrialStage stage, const std::vector<BuiltCandidate>& kernels) {
  if (kernels.size() < 2 || context.control.halted()) return;
  const auto refused = context.ledger.Submit(stage, kernels, FinalOptions(context.options));
  if (!refused.ok()) return context.control.Fail(refused.status());
  CollectResults(
      context, [] { return true; }, [](const StoredRecord&) {});
}

absl::Status FindFastest(TuneContext& context) {
  TF_ASSIGN_OR_RETURN(const std::vector<StoredRecord> records, context.database.Records(context.job.task_digest));
  const int last = std::max(LastVerdict(records, TrialStage::kFinalists), LastVerdict(records, TrialStage::kWinner));
  if (Stands(context, records, last)) return absl::OkStatus();
  std::vector<std::pair<v1::Config, std::string>> configs;
  for (const v1::TuningRecord& contender : Contenders(context, records)) {
    configs.emplace_back(contender.config(), kSearchPipeline);
  }
  if (configs.size() < 2) return absl::OkStatus();
  context.meter.SetStage(TuneStage::kFinalists);
  Compare(context, TrialStage::kFinalists, Build(context, configs));
  return absl::OkStatus();
}

absl::Status RefineWinner(TuneContext& context) {
  TF_ASSIGN_OR_RETURN(const std::vector<StoredRecord> records, context.database.Records(context.job.task_digest));
  const int last = LastVerdict(records, TrialStage::kWinner);
  if (last > LastVerdict(records, TrialStage::kFinalists) && Stands(context, records, last)) return absl::OkStatus();
  TF_ASSIGN_OR_RETURN(const std::optional<v1::TuningRecord> best, context.database.Best(context.job.task_digest));
  if (!best.has_value()) return absl::OkStatus();
  context.meter.SetStage(TuneStage::kWinner);
  Compare(context, TrialStage::kWinner,
          Build(context, {{best->config(), kSearchPipeline}, {best->config(), kRefinePipeline}}));
  return absl::OkStatus();
}

}  // namespace

v1::MeasureOptions FinalOptions(const TuneOptions& options) {
  v1::MeasureOptions measure = options.measure;
  measure.set_min_samples(std::max(measure.min_samples(), options.final_samples));
  measure.set_max_samples(std::max(measure.max_samples(), 2 * options.final_samples));
  if (!measure.has_run_budget()) *measure.mutable_run_budget() = common::DurationToProto(options.final_budget);
  return measure;
}

void RunFinals(TuneContext& context) {
  if (context.options.finalists > 1) context.control.Fail(FindFastest(context));
  if (context.options.refine_winner && !context.control.halted()) context.control.Fail(RefineWinner(context));
}

}  // namespace tunefleet::tuner
