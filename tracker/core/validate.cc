#include "tracker/core/validate.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/digest.h"
#include "common/fill.h"
#include "common/proto_time.h"
#include "common/status_macros.h"
#include "tracker/core/deadline.h"
#include "tracker/core/settings.h"

namespace tunefleet::tracker {
namespace {

constexpr size_t kMaxIdBytes = 64;
constexpr size_t kMaxNameBytes = 128;
constexpr int kMaxDevices = 64;
constexpr int kMaxAttributes = 64;
constexpr int kMaxValues = 512;
constexpr int kMaxLeases = 256;
constexpr int kMaxKernels = 16;
constexpr int kMaxBuffers = 64;
constexpr int kMaxConditions = 32;
constexpr size_t kMaxLabels = 32;
constexpr size_t kMaxLabelBytes = 4096;
constexpr absl::Duration kMaxExpireAfter = absl::Hours(24 * 365);

template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

std::string Quoted(absl::string_view text) { return absl::StrCat("'", absl::CHexEscape(text.substr(0, 80)), "'"); }

// Agent and device ids: 1 to 128 printable ASCII characters, no space.
absl::Status ValidateName(absl::string_view what, absl::string_view name) {
  const bool graphic = std::all_of(name.begin(), name.end(), [](char c) { return absl::ascii_isgraph(c); });
  if (name.empty() || name.size() > kMaxNameBytes || !graphic) {
    return Invalid(what, " ", Quoted(name), ": expected 1 to ", kMaxNameBytes, " printable characters without spaces");
  }
  return absl::OkStatus();
}

absl::Status ValidateCount(absl::string_view what, int64_t count, int64_t most) {
  if (count > most) return Invalid(what, ": ", count, " given, at most ", most, " expected");
  return absl::OkStatus();
}

absl::Status ValidateText(absl::string_view what, absl::string_view text, size_t most) {
  if (text.size() > most) return Invalid(what, ": ", text.size(), " bytes given, at most ", most, " expected");
  return absl::OkStatus();
}

template <typename Map>
absl::Status ValidateLabels(const Map& labels) {
  TF_RETURN_IF_ERROR(ValidateCount("labels", labels.size(), kMaxLabels));
  for (const auto& [name, value] : labels) {
    TF_RETURN_IF_ERROR(ValidateText("label name", name, kMaxNameBytes));
    TF_RETURN_IF_ERROR(ValidateText("label value", value, kMaxLabelBytes));
  }
  return absl::OkStatus();
}

absl::Status ValidateDuration(absl::string_view what, const google::protobuf::Duration& proto, absl::Duration most) {
  const absl::Duration duration = common::DurationFromProto(proto);
  if (duration < absl::ZeroDuration() || duration > most) {
    return Invalid(what, " ", absl::FormatDuration(duration), ": expected 0 to ", absl::FormatDuration(most));
  }
  return absl::OkStatus();
}

absl::Status ValidateOptions(const v1::MeasureOptions& options) {
  TF_RETURN_IF_ERROR(ValidateDuration("options.min_sample_time", options.min_sample_time(), kMaxOptionDuration));
  TF_RETURN_IF_ERROR(ValidateDuration("options.run_budget", options.run_budget(), kMaxOptionDuration));
  TF_RETURN_IF_ERROR(ValidateDuration("options.kernel_timeout", options.kernel_timeout(), kMaxOptionDuration));
  TF_RETURN_IF_ERROR(ValidateDuration("options.load_timeout", options.load_timeout(), kMaxOptionDuration));
  TF_RETURN_IF_ERROR(ValidateCount("options.min_samples", options.min_samples(), kMaxSamplesPerKernel));
  TF_RETURN_IF_ERROR(ValidateCount("options.max_samples", options.max_samples(), kMaxSamplesPerKernel));
  if (!(options.abort_ratio() >= 0))
    return Invalid("options.abort_ratio ", options.abort_ratio(), ": expected 0 or more");
  return absl::OkStatus();
}

absl::Status ValidateFill(const v1::BufferFill& fill, int buffers) {
  if (fill.buffer() >= static_cast<uint32_t>(buffers)) {
    return Invalid("fill of buffer ", fill.buffer(), ": the manifest has ", buffers, " buffers");
  }
  if (fill.source_case() == v1::BufferFill::SOURCE_NOT_SET) {
    return Invalid("fill of buffer ", fill.buffer(), ": expected a seed, a lattice or a blob");
  }
  TF_RETURN_IF_ERROR(common::CheckLattice(fill));
  return fill.has_blob_digest() ? ValidateDigest("fill.blob_digest", fill.blob_digest()) : absl::OkStatus();
}

absl::Status ValidateKernel(const v1::Kernel& kernel) {
  const int buffers = kernel.manifest().buffers_size();
  TF_RETURN_IF_ERROR(ValidateDigest("manifest.code_digest", kernel.manifest().code_digest()));
  TF_RETURN_IF_ERROR(ValidateCount("manifest.buffers", buffers, kMaxBuffers));
  if (kernel.has_reference()) {
    TF_RETURN_IF_ERROR(ValidateDigest("reference.code_digest", kernel.reference().code_digest()));
    TF_RETURN_IF_ERROR(ValidateCount("reference.buffers", kernel.reference().buffers_size(), kMaxBuffers));
  }
  TF_RETURN_IF_ERROR(ValidateCount("fills", kernel.fills_size(), kMaxBuffers));
  TF_RETURN_IF_ERROR(ValidateCount("checks", kernel.checks_size(), kMaxBuffers));
  TF_RETURN_IF_ERROR(ValidateCount("second fills", kernel.second_fills_size(), kMaxBuffers));
  for (const v1::BufferFill& fill : kernel.fills()) TF_RETURN_IF_ERROR(ValidateFill(fill, buffers));
  for (const v1::BufferFill& fill : kernel.second_fills()) TF_RETURN_IF_ERROR(ValidateFill(fill, buffers));
  for (const v1::OutputCheck& check : kernel.checks()) {
    if (check.buffer() >= static_cast<uint32_t>(buffers)) {
      return Invalid("check of buffer ", check.buffer(), ": the manifest has ", buffers, " buffers");
    }
    const bool on_device = kernel.has_reference() && check.reference_digest().empty();
    if (!on_device) TF_RETURN_IF_ERROR(ValidateDigest("check.reference_digest", check.reference_digest()));
    if (!check.second_reference_digest().empty() || (kernel.second_fills_size() > 0 && !on_device)) {
      TF_RETURN_IF_ERROR(ValidateDigest("check.second_reference_digest", check.second_reference_digest()));
    }
    if (!(check.absolute() >= 0) || !(check.relative() >= 0)) {
      return Invalid("check of buffer ", check.buffer(), ": expected tolerances of 0 or more");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateRequirement(const v1::Requirement& requirement) {
  TF_RETURN_IF_ERROR(ValidateCount("requirement.conditions", requirement.conditions_size(), kMaxConditions));
  for (const v1::Condition& condition : requirement.conditions()) {
    TF_RETURN_IF_ERROR(ValidateName("requirement attribute", condition.attribute()));
    TF_RETURN_IF_ERROR(ValidateCount("requirement values", condition.all_of_size(), kMaxValues));
  }
  return absl::OkStatus();
}

absl::Status ValidateDevice(const v1::Device& device) {
  TF_RETURN_IF_ERROR(ValidateName("device id", device.device_id()));
  TF_RETURN_IF_ERROR(ValidateName("device class", device.device_class()));
  TF_RETURN_IF_ERROR(ValidateCount("device attributes", device.attributes_size(), kMaxAttributes));
  for (const v1::DeviceAttribute& attribute : device.attributes()) {
    TF_RETURN_IF_ERROR(ValidateName("device attribute", attribute.name()));
    TF_RETURN_IF_ERROR(ValidateCount("device attribute values", attribute.values_size(), kMaxValues));
  }
  return absl::OkStatus();
}

bool IsDeviceOutcome(v1::Outcome outcome) {
  return outcome == v1::OUTCOME_OK || outcome == v1::OUTCOME_REFUSED || outcome == v1::OUTCOME_EXPIRED ||
         (outcome >= v1::OUTCOME_LOAD_FAILED && outcome <= v1::OUTCOME_NO_REFERENCE);
}

}  // namespace

absl::Status ValidateId(absl::string_view what, absl::string_view id) {
  const bool plain = std::all_of(id.begin(), id.end(),
                                 [](char c) { return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '-'; });
  if (id.empty() || id.size() > kMaxIdBytes || !plain) {
    return Invalid(what, " ", Quoted(id), ": expected 1 to ", kMaxIdBytes, " characters [A-Za-z0-9_.-]");
  }
  return absl::OkStatus();
}

absl::Status ValidateDigest(absl::string_view what, absl::string_view digest) {
  if (digest.size() == common::kDigestBytes) return absl::OkStatus();
  return Invalid(what, ": ", digest.size(), " bytes given, a SHA-256 of ", common::kDigestBytes, " expected");
}

absl::Status ValidateLease(const v1::Lease& lease) {
  TF_RETURN_IF_ERROR(ValidateId("lease.trial_id", lease.trial_id()));
  TF_RETURN_IF_ERROR(ValidateName("lease.device_id", lease.device_id()));
  if (lease.fence().epoch() == 0) return Invalid("lease of ", lease.trial_id(), ": expected a fence");
  return absl::OkStatus();
}

absl::Status ValidateHello(const v1::Hello& hello) {
  if (hello.protocol_min() > kProtocolVersion || hello.protocol_max() < kProtocolVersion) {
    return absl::FailedPreconditionError(absl::StrCat("agent speaks protocol ", hello.protocol_min(), " to ",
                                                      hello.protocol_max(), ", this tracker speaks ",
                                                      kProtocolVersion));
  }
  TF_RETURN_IF_ERROR(ValidateName("agent id", hello.agent_id()));
  TF_RETURN_IF_ERROR(ValidateText("agent version", hello.agent_version(), kMaxNameBytes));
  if (hello.devices().empty()) return Invalid("agent ", hello.agent_id(), ": expected at least one device");
  TF_RETURN_IF_ERROR(ValidateCount("devices", hello.devices_size(), kMaxDevices));
  TF_RETURN_IF_ERROR(ValidateCount("held leases", hello.held_size(), kMaxLeases));
  TF_RETURN_IF_ERROR(ValidateCount("unacknowledged leases", hello.unacknowledged_size(), kMaxLeases));
  std::set<std::string> ids;
  for (const v1::Device& device : hello.devices()) {
    TF_RETURN_IF_ERROR(ValidateDevice(device));
    if (!ids.insert(device.device_id()).second) return Invalid("device ", device.device_id(), " is listed twice");
  }
  for (const v1::Lease& lease : hello.held()) TF_RETURN_IF_ERROR(ValidateLease(lease));
  for (const v1::Lease& lease : hello.unacknowledged()) TF_RETURN_IF_ERROR(ValidateLease(lease));
  return absl::OkStatus();
}

absl::Status ValidateFinished(const v1::Finished& finished) {
  TF_RETURN_IF_ERROR(ValidateLease(finished.lease()));
  const v1::TrialResult& result = finished.result();
  if (result.trial_id() != finished.lease().trial_id()) {
    return Invalid("result of trial ", Quoted(result.trial_id()), " under the lease of ", finished.lease().trial_id());
  }
  if (!IsDeviceOutcome(result.outcome())) {
    return Invalid("result of ", result.trial_id(), ": outcome ", result.outcome(), " is not one a device reports");
  }
  TF_RETURN_IF_ERROR(ValidateText("result detail", result.detail(), 4 * kMaxDetailBytes));
  TF_RETURN_IF_ERROR(ValidateCount("result kernels", result.kernels_size(), kMaxKernels));
  for (const v1::KernelResult& kernel : result.kernels()) {
    TF_RETURN_IF_ERROR(ValidateCount("samples", kernel.samples_size(), kMaxSamplesPerKernel));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Finished> RefusedResult(const v1::Lease& lease, const absl::Status& reason) {
  TF_RETURN_IF_ERROR(ValidateLease(lease));
  v1::Finished refused;
  *refused.mutable_lease() = lease;
  v1::TrialResult& result = *refused.mutable_result();
  result.set_trial_id(lease.trial_id());
  result.set_device_id(lease.device_id());
  result.set_outcome(v1::OUTCOME_DEVICE_ERROR);
  result.set_detail(
      absl::StrCat("the tracker refused the device's result: ", reason.message()).substr(0, kMaxDetailBytes));
  return refused;
}

absl::Status ValidateReturned(const v1::Returned& returned) {
  TF_RETURN_IF_ERROR(ValidateCount("returned leases", returned.leases_size(), kMaxLeases));
  for (const v1::Lease& lease : returned.leases()) TF_RETURN_IF_ERROR(ValidateLease(lease));
  return absl::OkStatus();
}

absl::Status ValidateAgentMessage(const v1::AgentMessage& message) {
  if (message.ByteSizeLong() > kMaxControlBytes) {
    return Invalid("agent message of ", message.ByteSizeLong(), " bytes: at most ", kMaxControlBytes, " expected");
  }
  switch (message.message_case()) {
    case v1::AgentMessage::kHello:
      return ValidateHello(message.hello());
    case v1::AgentMessage::kStarted:
      return ValidateLease(message.started().lease());
    case v1::AgentMessage::kFinished:
      return ValidateFinished(message.finished());
    case v1::AgentMessage::kReturned:
      return ValidateReturned(message.returned());
    case v1::AgentMessage::kDraining:
      return absl::OkStatus();
    case v1::AgentMessage::kProbed:
      TF_RETURN_IF_ERROR(ValidateName("probed device", message.probed().device_id()));
      TF_RETURN_IF_ERROR(ValidateDuration("probed.elapsed", message.probed().elapsed(), absl::Hours(24)));
      return ValidateText("probed.detail", message.probed().detail(), kMaxDetailBytes);
    case v1::AgentMessage::MESSAGE_NOT_SET:
      break;
  }
  return Invalid("agent message of an unknown kind");
}

absl::Status ValidateTrial(const v1::Trial& trial) {
  TF_RETURN_IF_ERROR(ValidateId("trial id", trial.trial_id()));
  const auto check = [&]() -> absl::Status {
    if (trial.kernels().empty()) return Invalid("no kernel given");
    TF_RETURN_IF_ERROR(ValidateCount("kernels", trial.kernels_size(), kMaxKernels));
    for (const v1::Kernel& kernel : trial.kernels()) TF_RETURN_IF_ERROR(ValidateKernel(kernel));
    TF_RETURN_IF_ERROR(ValidateRequirement(trial.requirement()));
    TF_RETURN_IF_ERROR(ValidateOptions(trial.options()));
    TF_RETURN_IF_ERROR(ValidateLabels(trial.labels()));
    return ValidateCount("bytes", trial.ByteSizeLong(), kMaxTrialBytes);
  };
  const absl::Status status = check();
  return status.ok() ? status : Invalid("trial ", trial.trial_id(), ": ", status.message());
}

absl::Status ValidateOpenJob(const v1::OpenJobRequest& request) {
  TF_RETURN_IF_ERROR(ValidateId("job id", request.job_id()));
  if (!request.tenant().empty()) TF_RETURN_IF_ERROR(ValidateId("tenant", request.tenant()));
  TF_RETURN_IF_ERROR(ValidateDuration("expire_after", request.expire_after(), kMaxExpireAfter));
  return ValidateLabels(request.labels());
}

absl::Status ValidateSubmit(const v1::SubmitRequest& request) {
  TF_RETURN_IF_ERROR(ValidateId("job id", request.job_id()));
  TF_RETURN_IF_ERROR(ValidateCount("trials in one call", request.trials_size(), kMaxTrialsPerSubmit));
  for (const v1::Trial& trial : request.trials()) TF_RETURN_IF_ERROR(ValidateTrial(trial));
  return absl::OkStatus();
}

}  // namespace tunefleet::tracker
