#include "tuner/pipeline/tuning_task.h"

#include "codegen/operators/workload.h"
#include "common/status_macros.h"

namespace tunefleet::tuner {

absl::StatusOr<TuningTask> MakeTuningTask(const std::string& name, const v1::Workload& workload,
                                          const v1::Target& target, const std::string& device_class,
                                          uint64_t input_seed, double host_reference_flops) {
  TuningTask task;
  task.name = name;
  task.input_seed = input_seed;
  TF_ASSIGN_OR_RETURN(task.identity.workload, codegen::ResolveLayouts(workload, target));
  task.identity.workload_key = codegen::WorkloadKey(task.identity.workload);
  task.identity.target = target;
  task.identity.device_class = device_class;
  task.flops = codegen::FlopCount(task.identity.workload);
  TF_ASSIGN_OR_RETURN(task.spaces, codegen::SpacesFor(task.identity.workload, target));
  if (task.flops < host_reference_flops) {
    TF_ASSIGN_OR_RETURN(task.reference, codegen::ComputeReference(task.identity.workload, input_seed));
  } else {
    TF_ASSIGN_OR_RETURN(task.reference, codegen::ReferenceWithoutOutputs(task.identity.workload, input_seed));
  }
  v1::Condition& condition = *task.requirement.add_conditions();
  condition.set_attribute("class");
  condition.add_all_of(device_class);
  return task;
}

}  // namespace tunefleet::tuner
