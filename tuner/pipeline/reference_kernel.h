// What a task's outputs are held against, brought to the devices: blobs that the host computed, or for very large
// operators a plain kernel in double precision, with which a device computes them once.
#ifndef TUNEFLEET_TUNER_PIPELINE_REFERENCE_KERNEL_H_
#define TUNEFLEET_TUNER_PIPELINE_REFERENCE_KERNEL_H_

#include "absl/status/status.h"
#include "tuner/pipeline/builder.h"
#include "tuner/pipeline/runner.h"
#include "tuner/pipeline/tuning_task.h"

namespace tunefleet::tuner {

// Builds the task's reference kernel where its reference has no outputs. Errors: INTERNAL (it cannot be built).
absl::Status BuildReferenceKernel(Builder& builder, TuningTask* task);

// Makes available what every trial of the task names. Errors: those of the runner.
absl::Status ProvideReference(const TuningTask& task, Runner& runner);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_REFERENCE_KERNEL_H_
