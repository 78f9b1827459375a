#include "tuner/pipeline/reference_kernel.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "codegen/spaces/reference_schedule.h"
#include "common/status_macros.h"
#include "tuner/pipeline/build_candidate.h"

namespace tunefleet::tuner {

absl::Status BuildReferenceKernel(Builder& builder, TuningTask* task) {
  if (!task->reference.outputs.empty()) return absl::OkStatus();
  BuiltCandidate kernel{.pass_pipeline = kSearchPipeline};
  TF_ASSIGN_OR_RETURN(kernel.schedule, codegen::ReferenceSchedule(task->identity.workload));
  BuildSchedule(task->identity, builder, &kernel);
  if (kernel.outcome != v1::OUTCOME_OK) {
    return absl::InternalError(absl::StrCat("build the reference of ", task->name, ": ", kernel.detail));
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
