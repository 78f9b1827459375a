// From a BuildRequest to a kernel: what a builder process does with each candidate.
#ifndef TUNEFLEET_TUNER_BUILDER_COMPILE_CANDIDATE_H_
#define TUNEFLEET_TUNER_BUILDER_COMPILE_CANDIDATE_H_

#include "absl/status/statusor.h"
#include "codegen/code_generator.h"
#include "codegen/ir/loop_nest.h"
#include "proto/build.pb.h"

namespace tunefleet::tuner {

// The fresh nest of the schedule's implementation with the schedule replayed on it. Errors: those of FreshNest and
// Replay.
absl::StatusOr<codegen::LoopNest> ScheduledNest(const v1::Workload& workload, const v1::Schedule& schedule);

// Never fails as a call: a schedule that cannot be replayed, an illegal nest and one over a limit are REFUSED, what the
// compiler could not do is BUILD_FAILED.
v1::BuildResponse CompileCandidate(const v1::BuildRequest& request, codegen::CodeGenerator& generator);

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_BUILDER_COMPILE_CANDIDATE_H_
