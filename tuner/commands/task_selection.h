// Which tasks of a record database a command is about, and what people call their workloads.
#ifndef TUNEFLEET_TUNER_COMMANDS_TASK_SELECTION_H_
#define TUNEFLEET_TUNER_COMMANDS_TASK_SELECTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/operators/workload.h"
#include "tuner/commands/flags.h"
#include "tuner/commands/parts.h"
#include "tuner/database/database.h"

namespace tunefleet::tuner {

// --workload, --op, --device, --target, --threads and --cache, as several commands take them.
struct TaskFlags {
  std::string workload;
  std::string op;
  std::string device_class;
  std::string target;
  int64_t threads = 0;
  std::string cache = "any";

  void Declare(FlagSet* flags);
};

// The workloads that --workload or --op names; empty when neither is given. Errors: NOT_FOUND, INVALID_ARGUMENT, with
// what would be right.
absl::StatusOr<std::vector<codegen::NamedWorkload>> WorkloadsOf(const std::string& workload, const std::string& op);

// "resnet18.C6" for a workload that has a name, its key otherwise.
class WorkloadNames {
 public:
  WorkloadNames();
  std::string Name(const TaskIdentity& task) const;

 private:
  std::vector<codegen::NamedWorkload> known_;
};

// Opens records that must be there. Errors: those of the database; NOT_FOUND says how they are made.
absl::StatusOr<std::unique_ptr<Database>> OpenRecords(const CommandContext& context, const std::string& records);

// The tasks that the flags describe, in the order of the workloads' names. Errors: NOT_FOUND (none; says what there
// is), and those of WorkloadsOf.
absl::StatusOr<std::vector<TaskSummary>> SelectTasks(Database& database, const TaskFlags& flags,
                                                     const std::string& records);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_COMMANDS_TASK_SELECTION_H_
