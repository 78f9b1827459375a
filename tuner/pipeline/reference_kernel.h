// What a task's outputs are held against, brought to the devices: blobs that the host computed, or for very large
// operators a plain kernel in double precision, with which a device computes them once.
#ifndef TUNEFLEET_TUNER_PIPELINE_REFERENCE_KERNEL_H_
#define TUNEFLEET_TUNER_PIPELINE_REFERENCE_KERNEL_H_

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/turns.h"
#include "tuner/pipeline/builder.h"
#include "tuner/pipeline/runner.h"
#include "tuner/pipeline/tuning_task.h"

namespace tunefleet::tuner {

// A turn on cores that a device has too (common/turns.h), or nullopt where none is needed. Errors: CANCELLED.
using TakeTurn = std::function<absl::StatusOr<std::optional<common::Turn>>()>;

// Builds the task's reference kernel where its reference has no outputs. Where it cannot be built the host computes
// them after all, in a turn, which may take minutes. Errors: those of ReferenceSchedule,
// ComputeReference and `take_turn`.
absl::Status BuildReferenceKernel(Builder& builder, const TakeTurn& take_turn, TuningTask* task);

// Makes available what every trial of the task names. Errors: those of the runner.
absl::Status ProvideReference(const TuningTask& task, Runner& runner);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_REFERENCE_KERNEL_H_
