// A TuningTask: everything about one workload on one kind of device that the pipeline needs to know. Move-only,
// immutable while it is tuned.
#ifndef TUNEFLEET_TUNER_PIPELINE_TUNING_TASK_H_
#define TUNEFLEET_TUNER_PIPELINE_TUNING_TASK_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "codegen/operators/reference.h"
#include "codegen/spaces/schedule_space.h"
#include "proto/measurement.pb.h"
#include "tuner/database/database.h"
#include "tuner/pipeline/candidate.h"

namespace tunefleet::tuner {

// From this many operations on a device computes the reference: the host's loops do some 2 GFLOP/s, so about 5 seconds.
inline constexpr double kHostReferenceFlops = 1e10;

struct TuningTask {
  std::string name;       // for people: "resnet18.C6"
  TaskIdentity identity;  // the workload's layouts are resolved
  double flops = 0;
  std::vector<std::unique_ptr<codegen::ScheduleSpace>> spaces;
  uint64_t input_seed = 0;       // of the reference's fills
  codegen::Reference reference;  // fills and checks name tensors by their index in the workload
  // Where the reference has no outputs: the kernel that computes them on the device.
  std::optional<BuiltCandidate> reference_kernel;
  v1::Requirement requirement;  // which devices may measure

  std::vector<const codegen::ScheduleSpace*> SpacePointers() const {
    std::vector<const codegen::ScheduleSpace*> pointers;
    for (const auto& space : spaces) pointers.push_back(space.get());
    return pointers;
  }
};

// Resolves the workload's layouts for the target, makes its spaces and computes its reference (seconds for a large
// operator); from `host_reference_flops` on, the reference has no outputs: see reference_kernel.h. `target` is what the
// measuring device reports, or what the user asked for, with the threads to use; trials require the device class.
// Errors: INVALID_ARGUMENT (the workload has no space on the target).
absl::StatusOr<TuningTask> MakeTuningTask(const std::string& name, const v1::Workload& workload,
                                          const v1::Target& target, const std::string& device_class,
                                          uint64_t input_seed, double host_reference_flops = kHostReferenceFlops);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_TUNING_TASK_H_
