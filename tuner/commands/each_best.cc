#include "tuner/commands/each_best.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>

#include "codegen/operators/workload.h"
#include "common/status_macros.h"
#include "tuner/commands/task_selection.h"
#include "tuner/commands/text.h"

namespace tunefleet::tuner {

absl::StatusOr<int> ShowEachBest(Database& database, const std::vector<TaskSummary>& tasks, bool json,
                                 const CommandContext& context,
                                 const std::function<absl::StatusOr<std::string>(const BestKernel& best)>& show) {
  const WorkloadNames names;
  int exit_status = kExitOk;
  bool first = true;
  for (const TaskSummary& task : tasks) {
    const std::string name = names.Name(task.task);
    TF_ASSIGN_OR_RETURN(std::optional<v1::TuningRecord> record, database.Best(TaskDigest(task.task)));
    if (!record.has_value()) {
      std::fprintf(context.err, "tunefleet: no valid kernel of %s for %s yet (%d trials)\n", name.c_str(),
                   task.task.device_class.c_str(), static_cast<int>(task.trials));
      exit_status = kExitFailed;
      continue;
    }
    TF_ASSIGN_OR_RETURN(const std::string text, show({.name = name, .task = task, .record = *std::move(record)}));
    std::fprintf(context.out, "%s%s%s", first || json ? "" : "\n", text.c_str(), json ? "\n" : "");
    first = false;
  }
  return exit_status;
}

JsonObject JsonHead(const BestKernel& best) {
  const double latency_ns = RecordLatencyNs(best.record);
  JsonObject object;
  object.Text("workload", best.name)
      .Text("op", best.task.task.workload_key)
      .Text("target", TargetText(best.record.target()))
      .Text("device_class", best.record.device_class())
      .Integer("threads", std::max(1, best.record.target().threads()))
      .Text("cache", CacheModeName(best.task.task.cache_mode))
      .Number("latency_ns", latency_ns)
      .Number("gflops", codegen::FlopCount(best.record.workload()) / latency_ns);
  return object;
}

}  // namespace tunefleet::tuner
