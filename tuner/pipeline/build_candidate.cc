#include "tuner/pipeline/build_candidate.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tunefleet::tuner {

absl::StatusOr<Candidate> FindCandidate(const TuningTask& task, const v1::Config& config) {
  for (size_t i = 0; i < task.spaces.size(); ++i) {
    const codegen::ScheduleSpace& space = *task.spaces[i];
    if (space.name() != config.space() || space.version() != config.space_version()) continue;
    auto values = codegen::FromConfig(space, config);
    if (!values.ok()) return values.status();
    return Candidate{.space = static_cast<int>(i), .values = *std::move(values)};
  }
  return absl::FailedPreconditionError(
      absl::StrCat("no space ", config.space(), " of version ", config.space_version(), " here"));
}

void BuildSchedule(const TaskIdentity& task, Builder& builder, BuiltCandidate* built) {
  v1::BuildRequest request;
  *request.mutable_workload() = task.workload;
  *request.mutable_target() = task.target;
  *request.mutable_schedule() = built->schedule;
  request.set_pass_pipeline(built->pass_pipeline);
  v1::BuildResponse response = builder.Build(request);
  built->outcome = response.outcome() == v1::OUTCOME_UNSPECIFIED ? v1::OUTCOME_BUILD_FAILED : response.outcome();
  built->detail = std::move(*response.mutable_detail());
  built->manifest = std::move(*response.mutable_manifest());
  built->code = std::move(*response.mutable_code());
  built->nest_digest = std::move(*response.mutable_nest_digest());
}

BuiltCandidate BuildCandidate(const TuningTask& task, const Candidate& candidate, const std::string& pass_pipeline,
                              Builder& builder) {
  const codegen::ScheduleSpace& space = *task.spaces[candidate.space];
  BuiltCandidate built{
      .candidate = candidate, .config = codegen::ToConfig(space, candidate.values), .pass_pipeline = pass_pipeline};
  auto schedule = space.ToSchedule(candidate.values);
  if (!schedule.ok()) {
    built.outcome = v1::OUTCOME_REFUSED;
    built.detail = schedule.status().ToString();
    return built;
  }
  built.schedule = *std::move(schedule);
  BuildSchedule(task.identity, builder, &built);
  return built;
}

}  // namespace tunefleet::tuner
