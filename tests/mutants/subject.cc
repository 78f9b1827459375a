#include "tests/mutants/subject.h"

#include <utility>

#include "absl/random/distributions.h"
#include "codegen/llvm/llvm_code_generator.h"
#include "codegen/lowering/lower.h"
#include "codegen/operators/reference.h"
#include "codegen/operators/winograd_transform.h"
#include "codegen/operators/workload.h"
#include "codegen/primitives/schedule.h"
#include "common/status_macros.h"
#include "proto/build.pb.h"
#include "tests/codegen/llvm/run_kernel.h"
#include "tests/codegen/operators/reference_buffers.h"
#include "tests/support/apart.h"
#include "tuner/pipeline/make_trial.h"

namespace tunefleet::codegen {
namespace {

constexpr uint64_t kSeeds[] = {1, 1000};

}  // namespace

Truth Subject::Judge(const LoopNest& program) const {
  for (const Example& example : examples) {
    const absl::StatusOr<Buffers> outputs = Interpret(program, example.inputs);
    if (!outputs.ok()) return Truth::kIllFormed;
    if (*outputs != example.outputs) return Truth::kWrong;
  }
  return Truth::kRight;
}

absl::StatusOr<Artifact> Subject::Compile(const LoopNest& program) const {
  const absl::StatusOr<std::string> bytes = testing::Apart([&] {
    LoweredNest changed = lowered;
    changed.nest = program;
    const absl::StatusOr<Artifact> artifact =
        LlvmCodeGenerator().GenerateLowered(std::move(changed), task.identity.target);
    v1::BuildResponse response;
    response.set_detail(std::string(artifact.status().message()));
    if (artifact.ok()) {
      *response.mutable_manifest() = artifact->manifest;
      response.set_code(artifact->code);
    }
    return response.SerializeAsString();
  });
  if (!bytes.ok()) return bytes.status();
  v1::BuildResponse response;
  if (!response.ParseFromString(*bytes) || response.code().empty()) return absl::InternalError(response.detail());
  return Artifact{response.manifest(), response.code()};
}

bool Subject::ComputesExamples(const LoopNest& program, const Artifact& artifact) const {
  const absl::StatusOr<std::string> answer = testing::Apart([&]() -> std::string {
    for (const Example& example : examples) {
      if (RunKernel(program, artifact, example.inputs, 0) != example.outputs) return "no";
    }
    return "yes";
  });
  return answer.ok() && *answer == "yes";
}

absl::StatusOr<v1::Trial> Subject::MakeTrial(const Artifact& artifact, const std::string& trial_id,
                                             device::TestBlobs* blobs) const {
  tuner::BuiltCandidate built;
  built.manifest = artifact.manifest;
  blobs->Put(artifact.code);
  for (const std::string& output : task.reference.outputs) blobs->Put(output);
  for (const std::string& output : task.reference.second_outputs) blobs->Put(output);
  v1::MeasureOptions options;
  options.set_min_samples(1);
  options.set_max_samples(1);
  options.mutable_min_sample_time()->set_nanos(1000);
  options.mutable_kernel_timeout()->set_seconds(2);
  options.set_memory_limit_bytes(64 << 20);
  return tuner::MakeTrial(task, trial_id, {built}, options);
}

absl::StatusOr<Subject> MakeSubject(const std::string& op, const v1::Target& target, absl::BitGenRef random) {
  TF_ASSIGN_OR_RETURN(const v1::Workload workload, ParseOperator(op));
  Subject subject;
  TF_ASSIGN_OR_RETURN(subject.task, tuner::MakeTuningTask(op, workload, target, "mutants", kSeeds[0]));
  const auto& spaces = subject.task.spaces;
  const ScheduleSpace* space = nullptr;
  v1::Schedule schedule;
  do {  // Winograd rounds: bit by bit is nothing to hold it to
    space = spaces[absl::Uniform<size_t>(random, 0, spaces.size())].get();
    TF_ASSIGN_OR_RETURN(schedule, space->ToSchedule(RandomValues(*space, random)));
  } while (FindWinograd(schedule.implementation()).has_value());
  TF_ASSIGN_OR_RETURN(const LoopNest scheduled, Replay(space->Fresh(), schedule));
  TF_ASSIGN_OR_RETURN(subject.lowered, Lower(scheduled));
  for (const uint64_t seed : kSeeds) {
    TF_ASSIGN_OR_RETURN(const Reference reference, ComputeReference(subject.task.identity.workload, seed));
    subject.examples.push_back(
        {InputsOf(subject.task.identity.workload, reference), OutputsOf(subject.task.identity.workload, reference)});
  }
  return subject;
}

}  // namespace tunefleet::codegen
