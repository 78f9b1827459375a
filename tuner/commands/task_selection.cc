#include "tuner/commands/task_selection.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status_macros.h"
#include "tuner/commands/text.h"

namespace tunefleet::tuner {
namespace {

bool IsWorkloadOf(const TaskIdentity& task, const codegen::NamedWorkload& named) {
  const absl::StatusOr<v1::Workload> resolved = codegen::ResolveLayouts(named.workload, task.target);
  return resolved.ok() && codegen::WorkloadKey(*resolved) == task.workload_key;
}

}  // namespace

void TaskFlags::Declare(FlagSet* flags) {
  flags->Text("workload", "NAME", "a named workload, e.g. resnet18.C6, or a network", &workload);
  flags->Text("op", "OP", "an operator, e.g. 'conv2d(n=1,h=56,w=56,ci=64,co=64,k=3,s=1,p=1)'", &op);
  flags->Text("device", "CLASS", "only what was tuned for this class of device", &device_class);
  flags->Text("target", "TARGET", "only what was tuned for this target: TRIPLE [-mcpu=CPU]", &target);
  flags->Integer("threads", "only what was tuned for this number of threads", 1, 1024, &threads);
  std::vector<std::string> caches = {"any"};
  caches.insert(caches.end(), CacheModeNames().begin(), CacheModeNames().end());
  flags->Choice("cache", caches, "only what was tuned with this in the caches", &cache);
}

absl::StatusOr<std::vector<codegen::NamedWorkload>> WorkloadsOf(const std::string& workload, const std::string& op) {
  if (!workload.empty() && !op.empty()) {
    return absl::InvalidArgumentError("--workload and --op exclude each other; give one of them");
  }
  if (!workload.empty()) return codegen::FindWorkloads(workload);
  if (op.empty()) return std::vector<codegen::NamedWorkload>();
  TF_ASSIGN_OR_RETURN(v1::Workload parsed, codegen::ParseOperator(op));
  return std::vector<codegen::NamedWorkload>{{op, std::move(parsed)}};
}

WorkloadNames::WorkloadNames() {
  for (const char* name : {"resnet18", "matmul.256", "matmul.512", "matmul.1024", "matmul.2048"}) {
    absl::StatusOr<std::vector<codegen::NamedWorkload>> found = codegen::FindWorkloads(name);
    if (found.ok()) known_.insert(known_.end(), found->begin(), found->end());
  }
}

std::string WorkloadNames::Name(const TaskIdentity& task) const {
  const auto found = std::find_if(known_.begin(), known_.end(),
                                  [&](const codegen::NamedWorkload& named) { return IsWorkloadOf(task, named); });
  return found == known_.end() ? task.workload_key : found->name;
}

absl::StatusOr<std::unique_ptr<Database>> OpenRecords(const CommandContext& context, const std::string& records) {
  absl::StatusOr<std::unique_ptr<Database>> database = context.parts->open_database(records, DatabaseAccess::kRead);
  if (!absl::IsNotFound(database.status())) return database;
  return absl::NotFoundError(absl::StrCat(
      database.status().message(), "; expected a file that 'tunefleet tune --records=", records, "' has written"));
}

absl::StatusOr<std::vector<TaskSummary>> SelectTasks(Database& database, const TaskFlags& flags,
                                                     const std::string& records) {
  TF_ASSIGN_OR_RETURN(const std::vector<codegen::NamedWorkload> workloads, WorkloadsOf(flags.workload, flags.op));
  TF_ASSIGN_OR_RETURN(const std::vector<TaskSummary> tasks, database.Tasks());
  const auto fits = [&](const TaskSummary& summary) {
    const TaskIdentity& task = summary.task;
    return (flags.device_class.empty() || task.device_class == flags.device_class) &&
           (flags.target.empty() || TargetText(task.target) == flags.target) &&
           (flags.threads == 0 || std::max(1, task.target.threads()) == flags.threads) &&
           (flags.cache == "any" || CacheModeName(task.cache_mode) == flags.cache);
  };
  std::vector<TaskSummary> selected;
  if (workloads.empty()) std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(selected), fits);
  for (const codegen::NamedWorkload& named : workloads) {
    std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(selected),
                 [&](const TaskSummary& summary) { return fits(summary) && IsWorkloadOf(summary.task, named); });
  }
  if (!selected.empty()) return selected;
  if (tasks.empty()) {
    return absl::NotFoundError(absl::StrCat("records ", records, ": empty; 'tunefleet tune --records=", records,
                                            " --workload=NAME' fills them"));
  }
  constexpr size_t kMostNamed = 16;
  const WorkloadNames names;
  std::vector<std::string> held;
  for (const TaskSummary& summary : tasks) {
    if (held.size() == kMostNamed) break;
    held.push_back(absl::StrCat(names.Name(summary.task), " for ", summary.task.device_class, " (",
                                TargetText(summary.task.target), ", ",
                                ConditionsText(summary.task.target, summary.task.cache_mode), ")"));
  }
  if (tasks.size() > kMostNamed) held.push_back(absl::StrCat(tasks.size() - kMostNamed, " more"));
  return absl::NotFoundError(
      absl::StrCat("records ", records, ": nothing of what was asked for; they hold ", absl::StrJoin(held, ", ")));
}

}  // namespace tunefleet::tuner
