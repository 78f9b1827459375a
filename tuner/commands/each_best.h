// The best kernel known of each of several tasks, for commands that show something of every one.
#ifndef TUNEFLEET_TUNER_COMMANDS_EACH_BEST_H_
#define TUNEFLEET_TUNER_COMMANDS_EACH_BEST_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tuner/commands/json.h"
#include "tuner/commands/parts.h"
#include "tuner/database/database.h"

namespace tunefleet::tuner {

struct BestKernel {
  std::string name;  // of the workload, for people
  TaskSummary task;
  v1::TuningRecord record;
};

// Prints what `show` makes of each task's best kernel: a line of JSON, or a text with an empty line before the next.
// Complains of a task that has none. Returns the exit status. Errors: those of the database and of `show`.
absl::StatusOr<int> ShowEachBest(Database& database, const std::vector<TaskSummary>& tasks, bool json,
                                 const CommandContext& context,
                                 const std::function<absl::StatusOr<std::string>(const BestKernel& best)>& show);

// What every JSON object about a kernel begins with: workload, op, target, device_class, threads, latency_ns, gflops.
JsonObject JsonHead(const BestKernel& best);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_EACH_BEST_H_
