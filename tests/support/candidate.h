// A config of a space, replayed and compiled: for tests that look at the machine code, or run it.
#ifndef TUNEFLEET_TESTS_SUPPORT_CANDIDATE_H_
#define TUNEFLEET_TESTS_SUPPORT_CANDIDATE_H_

#include <string>

#include "absl/status/statusor.h"
#include "codegen/code_generator.h"
#include "codegen/ir/loop_nest.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "codegen/spaces/schedule_space.h"
#include "proto/workload.pb.h"

namespace tunefleet::codegen {

struct Candidate {
  const ScheduleSpace* space;
  Values values;
  LoopNest nest;
  Artifact artifact;

  std::string Config() const { return ToConfig(*space, values).ShortDebugString(); }
};

// The space outlives the candidate. Errors: those of the schedule, of its replay and of the code generator, with the
// config.
absl::StatusOr<Candidate> CompileCandidate(const ScheduleSpace& space, const Values& values, const v1::Target& target,
                                           PassPipeline pipeline = PassPipeline::kLight);

}  // namespace tunefleet::codegen

#endif  // TUNEFLEET_TESTS_SUPPORT_CANDIDATE_H_
