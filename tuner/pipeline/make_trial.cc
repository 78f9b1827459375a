#include "tuner/pipeline/make_trial.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "codegen/operators/tolerance.h"
#include "common/status_macros.h"

namespace tunefleet::tuner {
namespace {

// Index of the buffer that holds the workload's tensor.
absl::StatusOr<uint32_t> FindBuffer(const TuningTask& task, uint32_t tensor, const v1::ArtifactManifest& manifest) {
  const std::string& name = task.identity.workload.tensors(static_cast<int>(tensor)).name();
  for (int i = 0; i < manifest.buffers_size(); ++i) {
    if (manifest.buffers(i).name() == name) return static_cast<uint32_t>(i);
  }
  return absl::InternalError(absl::StrCat("the artifact has no buffer for tensor \"", name, "\""));
}

absl::StatusOr<v1::Kernel> MakeKernel(const TuningTask& task, const BuiltCandidate& built) {
  const v1::ArtifactManifest& manifest = built.manifest;
  v1::Kernel kernel;
  *kernel.mutable_manifest() = manifest;
  if (task.reference_kernel.has_value()) *kernel.mutable_reference() = task.reference_kernel->manifest;
  for (const v1::BufferFill& fill : task.reference.fills) {
    TF_ASSIGN_OR_RETURN(const uint32_t buffer, FindBuffer(task, fill.buffer(), manifest));
    *kernel.add_fills() = fill;
    kernel.mutable_fills(kernel.fills_size() - 1)->set_buffer(buffer);
  }
  for (const v1::BufferFill& fill : task.reference.second_fills) {
    TF_ASSIGN_OR_RETURN(const uint32_t buffer, FindBuffer(task, fill.buffer(), manifest));
    *kernel.add_second_fills() = fill;
    kernel.mutable_second_fills(kernel.second_fills_size() - 1)->set_buffer(buffer);
  }
  TF_ASSIGN_OR_RETURN(const std::vector<v1::OutputCheck> checks,
                      codegen::ChecksFor(task.identity.workload, task.reference, built.schedule.implementation()));
  for (const v1::OutputCheck& check : checks) {
    TF_ASSIGN_OR_RETURN(const uint32_t buffer, FindBuffer(task, check.buffer(), manifest));
    *kernel.add_checks() = check;
    kernel.mutable_checks(kernel.checks_size() - 1)->set_buffer(buffer);
  }
  return kernel;
}

}  // namespace

absl::StatusOr<v1::Trial> MakeTrial(const TuningTask& task, const std::string& trial_id,
                                    const std::vector<BuiltCandidate>& kernels, const v1::MeasureOptions& options) {
  v1::Trial trial;
  trial.set_trial_id(trial_id);
  for (const BuiltCandidate& built : kernels) {
    TF_ASSIGN_OR_RETURN(*trial.add_kernels(), MakeKernel(task, built));
  }
  *trial.mutable_requirement() = task.requirement;
  *trial.mutable_options() = options;
  trial.mutable_options()->set_threads(std::max(1, task.identity.target.threads()));
  (*trial.mutable_labels())["workload"] = task.name;
  (*trial.mutable_labels())["gflop"] = absl::StrFormat("%.6g", task.flops / 1e9);
  return trial;
}

}  // namespace tunefleet::tuner
