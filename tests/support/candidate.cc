#include "tests/support/candidate.h"

#include "absl/strings/str_cat.h"
#include "codegen/primitives/schedule.h"
#include "common/status_macros.h"

namespace tunefleet::codegen {
namespace {

absl::StatusOr<Candidate> Compile(const ScheduleSpace& space, const Values& values, const v1::Target& target,
                                  PassPipeline pipeline) {
  TF_ASSIGN_OR_RETURN(const v1::Schedule schedule, space.ToSchedule(values));
  TF_ASSIGN_OR_RETURN(LoopNest nest, Replay(space.Fresh(), schedule));
  TF_ASSIGN_OR_RETURN(Artifact artifact, LlvmCodeGenerator(pipeline).Generate(nest, target));
  return Candidate{&space, values, std::move(nest), std::move(artifact)};
}

}  // namespace

absl::StatusOr<Candidate> CompileCandidate(const ScheduleSpace& space, const Values& values, const v1::Target& target,
                                           PassPipeline pipeline) {
  absl::StatusOr<Candidate> candidate = Compile(space, values, target, pipeline);
  if (candidate.ok()) return candidate;
  return absl::Status(candidate.status().code(), absl::StrCat(candidate.status().message(), "; config ",
                                                              ToConfig(space, values).ShortDebugString()));
}

}  // namespace tunefleet::codegen
