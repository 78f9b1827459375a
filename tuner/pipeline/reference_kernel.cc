#include "tuner/pipeline/reference_kernel.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "codegen/operators/reference.h"
#include "codegen/spaces/reference_schedule.h"
#include "common/status_macros.h"
#include "tuner/pipeline/build_candidate.h"

namespace tunefleet::tuner {

absl::Status BuildReferenceKernel(Builder& builder, const TakeTurn& take_turn, TuningTask* task) {
  if (!task->reference.outputs.empty()) return absl::OkStatus();
  BuiltCandidate kernel{.pass_pipeline = kSearchPipeline};
  TF_ASSIGN_OR_RETURN(kernel.schedule, codegen::ReferenceSchedule(task->identity.workload));
  BuildSchedule(task->identity, builder, &kernel);
  if (kernel.outcome != v1::OUTCOME_OK) {
    spdlog::warn("the reference of {} cannot be built for the device, this machine computes it: {}", task->name,
                 kernel.detail);
    TF_ASSIGN_OR_RETURN(const std::optional<common::Turn> turn, take_turn());
    TF_ASSIGN_OR_RETURN(task->reference, codegen::ComputeReference(task->identity.workload, task->input_seed));
    return absl::OkStatus();
  }
  task->reference_kernel = std::move(kernel);
  return absl::OkStatus();
}

absl::Status ProvideReference(const TuningTask& task, Runner& runner) {
  if (task.reference_kernel.has_value()) {
    TF_RETURN_IF_ERROR(runner.Provide(task.reference_kernel->manifest.code_digest(), task.reference_kernel->code));
  }
  const codegen::Reference& reference = task.reference;
  for (size_t i = 0; i < reference.outputs.size(); ++i) {
    TF_RETURN_IF_ERROR(runner.Provide(reference.checks[i].reference_digest(), reference.outputs[i]));
  }
  for (size_t i = 0; i < reference.second_outputs.size(); ++i) {
    TF_RETURN_IF_ERROR(runner.Provide(reference.checks[i].second_reference_digest(), reference.second_outputs[i]));
  }
  return absl::OkStatus();
}

}  // namespace tunefleet::tuner
