#include "tuner/builder/compile_candidate.h"

#include <string>
#include <utility>

#include "codegen/ir/printer.h"
#include "codegen/operators/implementation.h"
#include "codegen/primitives/schedule.h"
#include "common/digest.h"
#include "common/status_macros.h"

namespace tunefleet::tuner {
namespace {

constexpr size_t kDetailBytes = 512;

v1::BuildResponse Failure(const v1::BuildRequest& request, v1::Outcome outcome, const absl::Status& status) {
  v1::BuildResponse response;
  response.set_id(request.id());
  response.set_outcome(outcome);
  response.set_detail(std::string(status.message().substr(0, kDetailBytes)));
  return response;
}

}  // namespace

absl::StatusOr<codegen::LoopNest> ScheduledNest(const v1::Workload& workload, const v1::Schedule& schedule) {
  TF_ASSIGN_OR_RETURN(const codegen::LoopNest fresh,
                      codegen::FreshNest(workload, schedule.implementation(), schedule.implementation_version()));
  return codegen::Replay(fresh, schedule);
}

v1::BuildResponse CompileCandidate(const v1::BuildRequest& request, codegen::CodeGenerator& generator) {
  const absl::StatusOr<codegen::LoopNest> nest = ScheduledNest(request.workload(), request.schedule());
  if (!nest.ok()) return Failure(request, v1::OUTCOME_REFUSED, nest.status());
  absl::StatusOr<codegen::Artifact> artifact = generator.Generate(*nest, request.target());
  if (absl::IsFailedPrecondition(artifact.status()) || absl::IsResourceExhausted(artifact.status())) {
    return Failure(request, v1::OUTCOME_REFUSED, artifact.status());
  }
  if (!artifact.ok()) return Failure(request, v1::OUTCOME_BUILD_FAILED, artifact.status());
  v1::BuildResponse response;
  response.set_id(request.id());
  response.set_outcome(v1::OUTCOME_OK);
  *response.mutable_manifest() = std::move(artifact->manifest);
  response.set_code(std::move(artifact->code));
  response.set_nest_digest(common::Sha256(codegen::Print(*nest)));
  return response;
}

}  // namespace tunefleet::tuner
