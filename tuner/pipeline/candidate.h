// A candidate program on its way through the pipeline: propose, build, measure, learn.
#ifndef TUNEFLEET_TUNER_PIPELINE_CANDIDATE_H_
#define TUNEFLEET_TUNER_PIPELINE_CANDIDATE_H_

#include <cstdint>
#include <string>

#include "codegen/spaces/schedule_space.h"
#include "proto/artifact.pb.h"
#include "proto/measurement.pb.h"
#include "proto/schedule.pb.h"

namespace tunefleet::tuner {

// A point of one of the workload's spaces.
struct Candidate {
  int space = 0;  // index into the task's spaces
  codegen::Values values;
};

struct BuiltCandidate {
  Candidate candidate;
  v1::Config config;
  v1::Schedule schedule;
  std::string pass_pipeline;
  v1::Outcome outcome = v1::OUTCOME_UNSPECIFIED;  // OK, REFUSED or BUILD_*
  std::string detail;
  v1::ArtifactManifest manifest;  // when OK
  std::string code;
  std::string nest_digest;
};

}  // namespace tunefleet::tuner

#endif  // TUNEFLEET_TUNER_PIPELINE_CANDIDATE_H_
